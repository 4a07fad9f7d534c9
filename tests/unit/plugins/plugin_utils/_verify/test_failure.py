# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a server did not start: the log's reason, and what plan and facts add."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify.failure import failure
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import read
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._verify.example import FACTS, TWO_L4


def test_others_hold_the_memory():
    assert failure(TWO_L4, read("cuda_out_of_memory"), {}) == (
        "GPU 0 has too little memory free for a buffer of 17946.08 MiB; when the server started, 3.9 GiB were free on CUDA0, "
        "and the plan counted on 21.9 GiB: other programs hold the rest"
    )


def test_the_node_has_no_cdi():
    log = {"read": True, "failure": "the container engine does not know the CDI device x", "problems": [{"code": "cdi_device_missing", "message": "x"}]}
    facts = copy.deepcopy(FACTS)
    facts["platform"]["cdi"]["specs"] = []
    assert failure(TWO_L4, log, {"facts": facts}) == f"{log['failure']}; the node has no CDI specification of its GPUs"
    assert failure(TWO_L4, log, {"facts": FACTS}) == failure(TWO_L4, log, {}) == log["failure"]


@pytest.mark.parametrize("log, said", [
    (read("unknown_argument"), "this llama-server does not know the argument --no-such-flag"),
    (read("vulkan"), "the log has no reason"),
    ({"read": False, "failure": None, "why_not": "there is no such unit"}, "the log can't be read: there is no such unit"),
])  # fmt: skip
def test_the_reason_alone(log, said):
    assert failure(TWO_L4, log, {"facts": FACTS}) == said


@pytest.mark.parametrize(
    "plan, log, options", [({}, read("vulkan"), {}), (TWO_L4, None, {}), (TWO_L4, {}, {}), (TWO_L4, read("vulkan"), {"facts": {"gpu": 1}})]
)
def test_other_input_is_refused(plan, log, options):
    with pytest.raises(InfraError):
        failure(plan, log, options)
