# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import HOST, Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.transfers import Transfer, transfers
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
THREE = (Device("RPC0", 100 * GIB, remote=True), Device("RPC1", 100 * GIB, remote=True), Device("CUDA0", 100 * GIB))


def asked(name, tokens, cells, devices=THREE, **settings):
    model = truth.model(name)
    return transfers(model, resolve({"ctx_size": 16384, "parallel": 1, **settings}, model), devices, tokens, cells)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        # the inputs of each split that llama.cpp printed for a token (tests/oracle/README.md: GGML_SCHED_DEBUG=2)
        ("Llama-3.1-8B-Q4_K_M.gguf", [5, 5, 6]),
        ("Gemma-3-27B-Q4_K_M.gguf", [8, 8, 9]),
        ("Qwen3-Next-80B-A3B-Q4_K_M.gguf", [7, 7, 8]),
    ],
)
def test_as_much_is_copied_as_llama_cpp_copies(name, inputs):
    found = asked(name, 1, 16384)
    assert [sum(copy.target == device for copy in found) for device in range(3)] == inputs


def test_a_result_goes_from_device_to_device_and_the_mask_to_each():
    found = asked("Llama-3.1-8B-Q4_K_M.gguf", 1, 16384)
    results = [copy for copy in found if not copy.given]
    assert results == [Transfer(HOST, 0, 16384, False), Transfer(0, 1, 16384, False), Transfer(1, 2, 16384, False)]
    masks = [copy for copy in found if copy.size_bytes == 2 * 16384 and copy.given]
    assert [(copy.source, copy.target) for copy in masks] == [(HOST, 0), (HOST, 1), (HOST, 2)]


def test_a_micro_batch_copies_for_each_of_its_tokens():
    found = asked("Llama-3.1-8B-Q4_K_M.gguf", 512, 2048)
    assert {copy.size_bytes for copy in found if not copy.given} == {512 * 4096 * 4}
    assert max(copy.size_bytes for copy in found if copy.given) == 2 * 2048 * 512


def test_without_devices_nothing_is_copied():
    assert asked("Llama-3.1-8B-Q4_K_M.gguf", 1, 16384, ()) == ()
