# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which device holds which block, the output and the input.

Source: src/llama-model.cpp, llama_model_base::load_tensors.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .devices import HOST


@dataclass(frozen=True)
class Layout:
    """Numbers of devices, HOST for the host. The input (token embedding) is always on the host."""

    blocks: tuple[int, ...]
    output: int


def layout(model, settings, devices):
    """The layout llama.cpp chooses.

    C(n_gpu_layers) counts from the end: the output first, then the last block, and so on. The layers on GPUs are
    then split in order, in proportion to C(tensor_split) or else to the free memory of the devices.
    """
    if settings.split_mode == "none":
        return _on_one_device(model, settings, devices)
    n_layers = model.n_layer_all + 1
    first = max(n_layers - settings.n_gpu_layers, 0)
    offloaded = min(settings.n_gpu_layers, n_layers) if devices else 0
    ends = _split_points(settings, devices)

    def device_of(layer):
        if layer < first or layer - first >= offloaded:
            return HOST
        # upper_bound over single precision fractions, as in the source
        return bisect_right(ends, _float32((layer - first) / offloaded))

    placed = [device_of(layer) for layer in range(n_layers)]
    return Layout(blocks=tuple(placed[:-1]), output=placed[-1])


def _on_one_device(model, settings, devices):
    if devices and settings.main_gpu >= len(devices):
        raise InfraError("no such device", where="settings.main_gpu", got=str(settings.main_gpu), expected=f"0 to {len(devices) - 1}")
    n_layers = model.n_layer_all + 1
    first = max(n_layers - settings.n_gpu_layers, 0) if devices else n_layers
    placed = [settings.main_gpu if layer >= first else HOST for layer in range(n_layers)]
    return Layout(blocks=tuple(placed[:-1]), output=placed[-1])


def _split_points(settings, devices):
    """Cumulated fractions of the devices, in the source's single precision."""
    parts = settings.tensor_split
    if parts is None:
        parts = [device.free_bytes for device in devices]
    elif len(parts) > len(devices):
        raise InfraError("more parts than devices", where="settings.tensor_split", got=str(len(parts)), expected=f"at most {len(devices)}")
    parts = [_float32(part) for part in parts] + [0.0] * (len(devices) - len(parts))
    total = 0.0
    sums = []
    for part in parts:
        total = _float32(total + part)
        sums.append(total)
    if devices and total == 0.0:
        raise InfraError("no device has free memory", where="devices", fix="Leave out tensor_split's zeros, or plan without GPUs")
    return [_float32(value / total) for value in sums]


def _float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]
