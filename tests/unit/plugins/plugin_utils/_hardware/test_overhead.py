# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.gpu_models import model_by_id
from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.overhead import overhead

MIB = 1024**2

# Reported by llama.cpp: total less what is free, before any buffer of its own.
AT_THE_START = [
    ("cuda", "nvidia-gtx-1080", 115),
    ("cuda", "nvidia-rtx-3060", 119),
    ("cuda", "nvidia-rtx-4060-ti", 107),
    ("cuda", "nvidia-rtx-5060-ti-16gb", 164),
    ("cuda", "nvidia-rtx-4070", 169),
    ("cuda", "nvidia-rtx-3090", 279),
    ("cuda", "nvidia-rtx-3090-ti", 281),
    ("cuda", "nvidia-rtx-pro-6000-blackwell-max-q", 569),
    ("rocm", "amd-rx-9070-xt", 164),
    ("sycl", "intel-arc-b580", 257),
    ("sycl", "intel-arc-pro-b50", 288),
    ("sycl", "intel-arc-pro-b70", 254),
]
# The column "unaccounted" when it exits, of GPUs without a display.
AT_EXIT = [
    ("cuda", "nvidia-gtx-1080", 174),
    ("cuda", "nvidia-rtx-4090", 456),
    ("cuda", "nvidia-rtx-pro-6000-blackwell-max-q", 712),
    ("rocm", "amd-mi50-32gb", 254),
    ("rocm", "amd-radeon-780m", 313),
]


@pytest.mark.parametrize("backend, model_id, measured_mib", AT_THE_START + AT_EXIT)
def test_never_below_what_was_measured(backend, model_id, measured_mib):
    size, why = overhead(backend, model_by_id(model_id, "x"))
    assert size >= measured_mib * MIB
    assert why


@pytest.mark.parametrize("backend, model_id, measured_mib", AT_EXIT)
def test_not_far_above_what_was_measured_at_exit(backend, model_id, measured_mib):
    assert overhead(backend, model_by_id(model_id, "x"))[0] <= (measured_mib + 120) * MIB


def test_the_workspace_of_cublas_is_larger_from_hopper_on():
    ada = SimpleNamespace(compute_capability="8.9", units=100)
    for capability in ("9.0", "12.0"):
        assert overhead("cuda", SimpleNamespace(compute_capability=capability, units=100))[0] - overhead("cuda", ada)[0] == 28 * MIB


def test_a_gpu_of_which_nothing_is_known_counts_as_a_big_one():
    unknown, why = overhead("cuda", SimpleNamespace(compute_capability=None, units=None))
    assert unknown > overhead("cuda", model_by_id("nvidia-rtx-4090", "x"))[0]
    assert "not in the table" in why


@pytest.mark.parametrize("backend", ["vulkan", "metal"])
def test_an_estimate_says_so(backend):
    size, why = overhead(backend, SimpleNamespace(compute_capability=None, units=None))
    assert 0 < size < 1024 * MIB
    assert "estimate" in why


def test_an_unknown_backend_is_refused():
    with pytest.raises(InfraError, match="Did you mean 'cuda'"):
        overhead("cuda13", SimpleNamespace(compute_capability=None, units=None))
