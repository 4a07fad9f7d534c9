# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning import probe
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.probe import Probe
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GPUS = (Device("CUDA0", 10**10), Device("CUDA1", 10**10))
MODEL = "Qwen3-30B-A3B-Q4_K_M.gguf"


@pytest.fixture
def asked(monkeypatch):
    """For each question to the memory rules, whether compute buffers were worked out for it."""
    found = []

    def counted(model, settings, devices, compute_bytes=None):
        found.append(compute_bytes is None)
        return allocate(model, settings, devices, compute_bytes)

    monkeypatch.setattr(probe, "allocate", counted)
    return found


def settings(**given):
    return resolve({"ctx_size": 8192, **given}, truth.model(MODEL))


def test_the_same_is_asked_once(asked):
    a_probe = Probe(truth.model(MODEL), GPUS)
    found = a_probe.ask(settings(n_cpu_moe=20))
    assert a_probe.with_context(found, 8192) is a_probe.about(settings(n_cpu_moe=20)) is found
    assert a_probe.with_settings(found, op_offload=False) != found
    assert asked == [True, True]


def test_an_allocation_like_another_has_its_compute_buffers_and_its_own_weights(asked):
    model = truth.model(MODEL)
    a_probe = Probe(model, GPUS)
    known, about = a_probe.ask(settings(n_cpu_moe=20)), a_probe.about(settings(n_cpu_moe=24))
    exact = allocate(model, settings(n_cpu_moe=24), GPUS)
    assert asked == [True, False]
    for buffers, like, real in zip((*about.devices, about.host), (*known.devices, known.host), (*exact.devices, exact.host), strict=True):
        assert buffers == replace(real, compute_bytes=like.compute_bytes)


@pytest.mark.parametrize(
    "given",
    [
        {"ctx_size": 16384, "n_cpu_moe": 20},
        {"ubatch_size": 1024, "n_cpu_moe": 20},
        {"n_cpu_moe": 48},  # the last block's experts too
        {},
        {"n_cpu_moe": 20, "tensor_split": [1, 0]},
        {"override_tensor": [r"blk\.(3|4)\.ffn_down_exps=CPU"]},
    ],
)
def test_what_changes_compute_buffers_is_asked(asked, given):
    a_probe = Probe(truth.model(MODEL), GPUS)
    a_probe.ask(settings(n_cpu_moe=20))
    assert a_probe.about(settings(**given)) == allocate(truth.model(MODEL), settings(**given), GPUS)
    assert asked == [True, True]
