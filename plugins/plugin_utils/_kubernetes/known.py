# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the table of GPUs adds to a product that labels name, and how GPUs come into the facts or why they don't."""

from __future__ import annotations

from .._hardware.gpu_models import GPU_MODELS, TABLE, model_by_driver
from .._units import MIB, human
from .found import device

MIG_USED_BYTES = 64 * MIB
"""What an idle MIG instance has in use: 12 to 44 MiB in what nvidia-smi prints in NVIDIA's guide (https://docs.nvidia.com/datacenter/tesla/mig-user-guide/)."""

BY_HAND = "Describe the node by hand (gpus and ram_bytes), or gather the facts on it."


def model_of_label(vendor, text, memory_total_bytes):
    """The GpuModel whose name a label holds, with - or _ for what may not stand in one; None for none."""
    for model in GPU_MODELS:
        for name in (model.name, *model.aliases):
            if model.vendor == vendor and _as_label(name) == _as_label(text):
                return model_by_driver(vendor, name, memory_total_bytes or model.memory_total_bytes or 0)
    return None


def _as_label(name):
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def add_devices(found, node, options, count, product, model, total, replicas=1, mig_profile=None, **known):
    """C(count) GPUs alike into C(found), or the problem why they are left out.

    C(product): what the labels call it. C(model): its row in the table, None where there is none. C(total): the bytes that the labels tell, None for none.
    C(replicas): how many pods share each.
    """
    if count == 0:
        return
    what = f"{count} {'GPU' if count == 1 else 'GPUs'} {product}"
    if replicas > 1 and not options.divide:
        found.problem(
            "gpu_shared",
            f"{what}: {replicas} pods share each, and its memory is not divided between them",
            "Ask for shares with sharing=divide, if each pod keeps to its own, or switch the sharing off.",
        )
        return
    unified = bool(model and model.unified_memory)
    if unified:
        total, free = node.amount("memory", capacity=True), node.amount("memory")
    else:
        total = total or (model.memory_total_bytes if model and mig_profile is None else None)
        free = _free(options, total, model, mig_profile)
    if total is None:
        found.problem("gpu_unknown", f"{what}: neither the labels nor the table of GPUs tell its memory", f"{BY_HAND} {TABLE}.")
        return
    if free is None:
        message = f"{what}: it has {human(total)}, and what is free of it is not known, for it isn't in the table of GPUs"
        found.problem("gpu_unknown", message, f"Say what is taken of each with memory_used_bytes. {TABLE}.")
        return
    if free <= 0:
        found.problem("gpu_full", f"{what}: nothing of {human(total)} is left", "Give a smaller memory_used_bytes.")
        return
    row = device(
        name=f"{model.name if model else product}{f' MIG {mig_profile}' if mig_profile else ''}",
        memory_total_bytes=total // replicas,
        memory_free_bytes=free // replicas,
        unified_memory=unified,
        **{"gfx_target": model and model.gfx_target, **known},
    )
    if row["compute_capability"] is None and model:
        row["compute_capability"] = model.compute_capability
    found.devices += [dict(row) for _each in range(count)]


def _free(options, total, model, mig_profile):
    """None where it can't be told."""
    if total is None:
        return None
    if options.used_bytes is not None:
        return total - options.used_bytes
    if mig_profile:
        return total - MIG_USED_BYTES
    if model is None or model.memory_free_bytes is None:
        return None
    return total - (model.memory_total_bytes - model.memory_free_bytes)
