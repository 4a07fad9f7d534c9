# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import kubernetes_gpu_facts

NODE = {"metadata": {"name": "n"}, "status": {"capacity": {"memory": "1Gi"}, "allocatable": {"memory": "1Gi"}}}

FILTER = kubernetes_gpu_facts.FilterModule().filters()["kubernetes_gpu_facts"]


def test_it_answers():
    assert FILTER([NODE], resource_slices=[], sharing="divide")["n"]["devices"] == []


def test_an_error_of_the_core_is_an_error_of_ansible():
    with pytest.raises(AnsibleError, match=r"nodes\[0\]"):
        FILTER([{}])
