# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA GPUs from the labels of Google Kubernetes Engine (https://cloud.google.com/kubernetes-engine/docs/concepts/gpus)."""

from __future__ import annotations

from dataclasses import dataclass

from .._hardware.gpu_model import GpuModel
from .._hardware.gpu_models import model_by_id

PREFIX = "cloud.google.com/gke-"
ACCELERATORS = {
    "nvidia-tesla-t4": "nvidia-t4",
    "nvidia-l4": "nvidia-l4",
    "nvidia-tesla-p4": "nvidia-p4",
    "nvidia-tesla-p100": "nvidia-p100",
    "nvidia-tesla-v100": "nvidia-v100-sxm2-16gb",
    "nvidia-tesla-a100": "nvidia-a100-sxm4-40gb",
    "nvidia-a100-80gb": "nvidia-a100-sxm4-80gb",
    "nvidia-h100-80gb": "nvidia-h100-sxm5",
    "nvidia-h100-mega-80gb": "nvidia-h100-sxm5",
    "nvidia-h200-141gb": "nvidia-h200",
    "nvidia-b200": "nvidia-b200",
    "nvidia-gb200": "nvidia-gb200",
}
"""The value of gke-accelerator: the id in the table of GPUs."""


@dataclass(frozen=True)
class Told:
    """C(model): None for an accelerator that isn't known."""

    accelerator: str
    model: GpuModel | None
    replicas: int
    mig_profile: str | None


def read(node):
    """What the labels tell, None where there are none."""
    accelerator = node.label(f"{PREFIX}accelerator")
    if accelerator is None or not accelerator.startswith("nvidia-"):
        return None
    model = model_by_id(ACCELERATORS[accelerator], "gke") if accelerator in ACCELERATORS else None
    return Told(accelerator, model, max(node.number(f"{PREFIX}max-shared-clients-per-gpu") or 1, 1), node.label(f"{PREFIX}gpu-partition-size"))
