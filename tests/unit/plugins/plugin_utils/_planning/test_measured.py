# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A measurement is shown in the plan and the report, and changes no choice."""

from __future__ import annotations

import copy
import pathlib

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.report import report
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.measured import measured as measured_of

HEADER = pathlib.Path(__file__).parents[5] / "tests" / "truth" / "headers" / "Llama-3.1-8B-Q4_K_M.gguf"
MODEL = read_model(str(HEADER))
NODE = {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 64 << 30}
PLAN = plan(MODEL, NODE, {})
ANSWER = {"prompt_tokens": 548, "prompt_tokens_processed": 540, "completion_tokens": 64, "prompt_per_second": 2345.0, "predicted_per_second": 45.6}
KEPT = measured_of(PLAN, {"total_slots": 4, "n_ctx": 1, "build_info": "b11312-x", "answer": ANSWER})


def lines(made):
    return [line for line in report(made).splitlines() if line.startswith(("Decode", "Prefill"))]


def test_it_stands_beside_what_is_expected():
    made = plan(MODEL, NODE, {}, measured=KEPT)
    assert made["throughput"]["measured"] == {
        "applies": True, "why_not": None, "same_settings": True, "build": "b11312-x",
        "decode": {"tokens_per_second": 45.6, "tokens": 64, "context_tokens": 612}, "prefill": {"tokens_per_second": 2340.0, "tokens": 540},
    }  # fmt: skip
    decode, prefill = lines(made)
    assert decode.endswith("; measured 45.6") and prefill.endswith("; measured 2340")
    del made["throughput"]["measured"]
    assert made == PLAN


def test_the_plan_that_runs_is_kept():
    kept = copy.deepcopy(PLAN)
    kept["reasons"] = ["a mark"]
    made = plan(MODEL, NODE, {}, previous=kept, measured=KEPT)
    assert (made["reasons"], made["inputs"], made["throughput"]["measured"]["applies"]) == (["a mark"], PLAN["inputs"], True)
    assert plan(MODEL, NODE, {}, previous=made, measured=KEPT) == made
    assert "measured" not in kept["throughput"]


def test_other_settings_are_marked():
    assert lines(plan(MODEL, NODE, {"ctx_size": 4096}, measured=KEPT))[0].endswith("; measured 45.6 with other settings")


@pytest.mark.parametrize("change, why", [
    ({"name": "Other", "quantization": "Q6_K"}, "it is of Other Q6_K"),
    ({"backend": "vulkan"}, "it is of the backend vulkan"),
])  # fmt: skip
def test_one_of_something_else_is_not_shown(change, why):
    other = {**KEPT, "of": {**KEPT["of"], **change}}
    made = plan(MODEL, NODE, {}, measured=other)
    assert (made["throughput"]["measured"]["decode"], made["throughput"]["measured"]["why_not"]) == (None, why)
    assert lines(made)[0].endswith(f"; the measurement does not apply: {why}")


@pytest.mark.parametrize(
    "given", [{}, {"schema": 2}, {"schema": 1}, {**KEPT, "of": 3}, {**KEPT, "measured": {"decode": 7}}, {**KEPT, "measured": {"decode": {}}}]
)
def test_what_is_no_measurement_is_refused(given):
    with pytest.raises(InfraError, match=r"llama_plan\.measured"):
        plan(MODEL, NODE, {}, measured=given)
