# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a running llama.cpp server says about itself. Private: not an interface for other collections."""

from __future__ import annotations

import time

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import NotReachable

POLL_SECONDS = 0.5


def wait_healthy(client, seconds, give_up=None):
    """Return when C(/health) says ok; InfraError with the last state when it does not within C(seconds).

    C(give_up) is called between the attempts and raises when waiting longer is of no use; it may take its time.
    """
    deadline = time.monotonic() + seconds
    while True:
        state = _health(client)
        if state is None:
            return
        if give_up is not None:
            give_up()
        if time.monotonic() >= deadline:
            raise InfraError(
                "the server is not healthy",
                client.url,
                state,
                f"a healthy server within {seconds} seconds",
                "Check that it runs, its host and port, and its log; a big model needs a longer wait.",
            )
        time.sleep(POLL_SECONDS)


def _health(client):
    """None when healthy, else the state in words. /health needs no key."""
    try:
        answer = client.get("/health")
    except NotReachable as error:
        return error.got
    if answer.status >= 500:
        return answer.problem()
    if answer.status != 200 or answer.json().get("status") != "ok":
        raise InfraError("this does not answer like llama-server", answer.url, answer.problem(), "status ok", "Check host and port.")
    return None


def server_info(client):
    """A healthy server's properties as a plain dictionary."""
    props = _object(client.get("/props"))
    defaults = props.get("default_generation_settings") or {}
    return {
        "schema": 1,
        "url": client.url,
        "healthy": True,
        "build_info": props.get("build_info"),
        "total_slots": props.get("total_slots"),
        "n_ctx": defaults.get("n_ctx"),
        "model_path": props.get("model_path"),
        "model_alias": props.get("model_alias"),
        "model_ftype": props.get("model_ftype"),
        "chat_template": bool(props.get("chat_template")),
        "modalities": props.get("modalities") or {},
        "is_sleeping": props.get("is_sleeping", False),
        "endpoints": {name: props.get(f"endpoint_{name}", False) for name in ("slots", "props", "metrics")},
        "models": [_model(entry) for entry in _object(client.get("/v1/models")).get("data", [])],
        "metrics": _metrics(client.get("/metrics")),
    }


def _model(entry):
    meta = entry.get("meta") or {}
    return {
        "id": entry.get("id"),
        "n_ctx_train": meta.get("n_ctx_train"),
        "parameters": meta.get("n_params"),
        "tensors_bytes": meta.get("size"),
        "vocab_size": meta.get("n_vocab"),
    }


def _metrics(answer):
    """The samples without labels, or None: servers started without --metrics answer with 501."""
    if answer.status != 200:
        return None
    samples = {}
    for line in answer.body.decode("utf-8", "replace").splitlines():
        name, blank, value = line.partition(" ")
        if blank and not line.startswith("#") and "{" not in name:
            try:
                samples[name] = float(value)
            except ValueError:
                continue
    return samples


def ask(client, prompt, max_tokens, timeout):
    """One answer to one prompt, with the server's own count of tokens per second."""
    request = {"messages": [{"role": "user", "content": prompt}], "max_tokens": max_tokens}
    answer = client.post("/v1/chat/completions", request, timeout)
    value = _object(answer)
    try:
        choice = value["choices"][0]
        usage = value["usage"]
        timings = value.get("timings") or {}
        return {
            "content": choice["message"]["content"],
            "finish_reason": choice["finish_reason"],
            "prompt_tokens": usage["prompt_tokens"],
            "prompt_tokens_processed": timings.get("prompt_n"),
            "completion_tokens": usage["completion_tokens"],
            "prompt_per_second": timings.get("prompt_per_second"),
            "predicted_per_second": timings.get("predicted_per_second"),
        }
    except (KeyError, IndexError, TypeError):
        raise InfraError("this is not a chat completion", answer.url, shown(answer.body.decode("utf-8", "replace"))) from None


def _object(answer):
    if answer.status == 401:
        raise InfraError("the server does not accept this API key, or needs one", answer.url, "HTTP 401", fix="Give api_key_file or api_key.")
    if answer.status != 200:
        raise InfraError("the server refused", answer.url, answer.problem(), "HTTP 200")
    return answer.json()
