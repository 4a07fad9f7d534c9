# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Environment variables that a user gives."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import cases

PLAN = cases.planned("one-gpu")


def rendered(target, environment):
    return cases.manifests(PLAN, target, {"model": "/srv/models/model.gguf", "environment": environment})["files"][0]["content"]


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("quadlet", 'Environment="GGML_CUDA_X=a $$b %%c"'),
        ("compose", '      "GGML_CUDA_X": "a $$b %c"'),
        ("systemd", 'Environment="GGML_CUDA_X=a $b %%c"'),
    ],
)
def test_it_is_quoted_for_its_reader(target, line):
    assert line in rendered(target, {"GGML_CUDA_X": "a $b %c"})


def test_home_can_be_another():
    assert "HOME=/var/cache/llama" in rendered("systemd", {"HOME": "/var/cache/llama"})
    assert "HOME=%C" not in rendered("systemd", {"HOME": "/var/cache/llama"})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LLAMA_ARG_CTX_SIZE", "1", "extra_args"),
        ("HF_TOKEN", "x", "a secret would stand in a file"),
        ("LLAMA_API_KEY", "x", "a secret would stand in a file"),
        ("CUDA_VISIBLE_DEVICES", "1", "the plan decides"),
        ("A B", "1", "not the name"),
        ("A", "1\n2", "control character"),
        ("A", True, "not the value"),
        ("A", ["1"], "not the value"),
    ],
)
def test_what_is_refused(name, value, says):
    with pytest.raises(InfraError, match=says):
        rendered("quadlet", {name: value})
