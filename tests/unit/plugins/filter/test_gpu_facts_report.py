# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import gpu_facts_report

FILTER = gpu_facts_report.FilterModule().filters()["gpu_facts_report"]


def test_it_answers():
    assert "nvidia-l4" not in FILTER({"n": {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 2**36}})


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match="not a dictionary of nodes"):
        FILTER([])
