# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's GPUs that share the RAM: Jetson and GB10.

A line: id, the driver's name, GiB as sold, GB/s, multiprocessors, dense FP16 TFLOPS.
Orin: half of the dense INT8 of the datasheet's GPU; Thor and GB10: an eighth of the sparse FP4 that the datasheet names, so an estimate.
nvidia-smi calls every Orin the same: the RAM tells them apart.
"""

from __future__ import annotations

from functools import partial

from .unified import unified

_LOG = "the total that llama.cpp or PyTorch prints on it, in public logs"
_ORIN = partial(unified, vendor="nvidia", cc="8.7", source="NVIDIA's datasheets of Jetson Orin")
_BLACKWELL = partial(unified, vendor="nvidia", memory_source=_LOG, source="NVIDIA's datasheets of Jetson T5000 and DGX Spark; FP16 estimated")

JETSON = (
    _ORIN("nvidia-jetson-orin-nano-8gb", "Orin (nvgpu)", sizes=(8,), gb_s=102, units=8, tflops=16.7, tops=33),
    _ORIN("nvidia-jetson-orin-nx-16gb", "Orin (nvgpu)", sizes=(16,), gb_s=102.4, units=8, tflops=19.2, tops=38),
    _ORIN("nvidia-jetson-agx-orin-32gb", "Orin (nvgpu)", sizes=(32,), gb_s=204.8, units=14, tflops=26.7, tops=53),
    _ORIN("nvidia-jetson-agx-orin-64gb", "Orin (nvgpu)", sizes=(64,), gb_s=204.8, units=16, tflops=42.5, tops=85, total=62827, memory_source=_LOG),
    _BLACKWELL("nvidia-jetson-thor", "NVIDIA Thor", sizes=(128,), gb_s=273, units=20, tflops=258, cc="11.0", total=125748),
    _BLACKWELL("nvidia-gb10", "NVIDIA GB10", sizes=(128,), gb_s=273, units=48, tflops=125, cc="12.1", total=124546),
)
