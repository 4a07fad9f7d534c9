# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Predicted and measured have the same keys, and what was not measured is null with a reason."""

from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.measured import measured
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._verify.example import MIB, TINY, TWO_L4, said

ANSWER = {"prompt_tokens": 548, "prompt_tokens_processed": 540, "completion_tokens": 64, "prompt_per_second": 1240.44, "predicted_per_second": 46.289}
PROCESS = {"rss_anon_bytes": 800 * MIB, "gpus": [{"uuid": "GPU-bb", "used_bytes": 10800 * MIB}, {"uuid": "GPU-aa", "used_bytes": 10900 * MIB}]}


def logged(*mib):
    return sum(round(size * MIB) for size in mib)


def test_all_of_it():
    kept = measured(TWO_L4, said(TWO_L4, "cuda_two_gpus", PROCESS, answer=ANSWER))
    assert kept == json.loads(json.dumps(kept))
    assert kept["of"] == {"name": "Tiny random llama", "quantization": "F16", "parameters": 4722944, "backend": "cuda12", "args": ["--gpu-layers", "5"],
                          "build": "b11669-Debian"}  # fmt: skip
    assert kept["measured"] == {
        "decode": {"tokens_per_second": 46.3, "tokens": 64, "context_tokens": 612},
        "prefill": {"tokens_per_second": 1240.0, "tokens": 540},
        "devices": [
            {"name": "CUDA0", "buffers_bytes": logged(9020.31, 1344, 180.01), "held_bytes": 10900 * MIB},
            {"name": "CUDA1", "buffers_bytes": logged(8925.77, 1216, 241.02), "held_bytes": 10800 * MIB},
        ],
        "ram": {"buffers_bytes": logged(525, 0, 42.02), "held_bytes": 800 * MIB},
    }
    assert kept["predicted"]["decode"] == {
        "tokens_per_second": 2650.0,
        "tokens_per_second_low": 928.0,
        "tokens_per_second_high": 6900.0,
        "context_tokens": 2048,
    }
    assert kept["predicted"]["devices"][0] == {"name": "CUDA0", "buffers_bytes": 10544 * MIB, "held_bytes": 10944 * MIB}
    assert kept["notes"] == []


@pytest.mark.parametrize("changes, missing", [
    ({"completion_tokens": 15}, "decode"),
    ({"predicted_per_second": None}, "decode"),
    ({"predicted_per_second": float("inf")}, "decode"),
    ({"prompt_tokens_processed": 255}, "prefill"),
    ({"prompt_tokens_processed": None}, "prefill"),
])  # fmt: skip
def test_a_speed_that_means_nothing_is_none(changes, missing):
    kept = measured(TINY, said(TINY, "vulkan", answer={**ANSWER, **changes}))
    assert kept["measured"][missing] is None and len(kept["notes"]) == 1
    assert kept["measured"]["prefill" if missing == "decode" else "decode"] is not None


def test_nothing_but_a_plan():
    kept = measured(TINY, said(TINY))
    assert kept["measured"] == {
        "decode": None, "prefill": None, "devices": [{"name": "Vulkan0", "buffers_bytes": None, "held_bytes": None}],
        "ram": {"buffers_bytes": None, "held_bytes": None},
    }  # fmt: skip
    assert kept["notes"] == ["No speed: nothing was asked (ask of llama_server_info)."]


@pytest.mark.parametrize("plan, info", [({}, said(TINY)), (TINY, {}), ({**TINY, "throughput": 3}, said(TINY))])
def test_other_input_is_refused(plan, info):
    with pytest.raises(InfraError):
        measured(plan, info)
