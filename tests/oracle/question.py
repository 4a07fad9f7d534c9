# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One question to the oracle, in a process of its own."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import llamacpp

PARTS = ("weights", "kv", "compute")
MIB = 1024 * 1024

# A question takes a second at most; one that takes this long found something new.
PATIENCE_SECONDS = 120


class Wrong(Exception):
    """What is wrong with the question."""


class Refused(Exception):
    """llama.cpp's own reason not to load the model with these settings."""


def ask(model: pathlib.Path, settings: dict, devices: list[dict]) -> dict:
    """What llama.cpp would allocate, in bytes: {ctx_size, model, devices: […], host}, and {fit} where the settings ask for a fit.

    A device is {free_mib, events} and, where its buffers are limited, chunk_bytes, and remote where a server has it. A setting that is None is not given.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GGML_", "LLAMA_"))}
    environment |= {
        "GGML_BACKEND_PATH": str(llamacpp.BACKEND),
        "GGML_NO_BACKTRACE": "1",
        "ORACLE_DEVICES": ",".join(map(_device, devices)),
    }
    command = [str(llamacpp.PROGRAM), f"model={model}", *_arguments(settings)]
    try:
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired as expired:
        raise Refused(f"no answer after {PATIENCE_SECONDS} seconds") from expired
    if answer.returncode == 2:
        raise Wrong(_reason(answer.stderr))
    if answer.returncode:
        raise Refused(_reason(answer.stderr) or f"ended with {answer.returncode} and said nothing")
    return json.loads(answer.stdout)


def _device(device: dict) -> str:
    limit = f":{device['chunk_bytes']}" if "chunk_bytes" in device else ""
    kind = "rpc" if device.get("remote") else "events" if device["events"] else "noevents"
    return f"{device['free_mib']}:{kind}{limit}"


def in_mib(answer: dict) -> dict:
    """The answer as rows of tests/truth have it: whole MiB, rounded down."""
    return {"devices": [_part(device) for device in answer["devices"]], "host": _part(answer["host"])}


def _part(part: dict) -> dict:
    return {name: part[f"{name}_bytes"] // MIB for name in PARTS}


def _arguments(settings: dict) -> list[str]:
    arguments = []
    for name, value in settings.items():
        if value is None:
            continue
        if isinstance(value, bool):
            value = str(value).lower()
        elif name == "tensor_split":
            value = ",".join(map(str, value))
        for each in value if isinstance(value, list) else [value]:
            arguments.append(f"{name}={each}")
    return arguments


def _reason(errors: str) -> str:
    """The line that says why, without the place in the sources, which carries the path it was built in."""
    lines = [line for line in errors.splitlines() if line.strip()]
    return re.sub(r"^\S+:\d+: ", "", lines[-1].strip()) if lines else ""
