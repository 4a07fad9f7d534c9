# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How it is proved that containers see the GPUs. Private: not an interface for other collections."""

from __future__ import annotations

from .engines import takes_cdi

DEVICE = "nvidia.com/gpu=all"


def proofs(wishes, node, engines):
    """Commands that run nvidia-smi in a container, one for each engine that can run one by itself: [{engine, user, command}]."""
    if not wishes.verify_image or not node.has_gpu:
        return []
    selinux = node.info["system"]["selinux"]
    confined = selinux and selinux["enforcing"] and not (selinux["container_use_devices"] or wishes.selinux_boolean)
    label = ["--security-opt=label=disable"] if confined else []
    found = []
    for engine in engines:
        if engine.name not in node.info["clients"]:
            continue
        gpu = ["--device", DEVICE] if takes_cdi(engine) else ["--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=all"]
        command = [engine.name, "run", "--rm", "--network=none", *label, *gpu, wishes.verify_image, "nvidia-smi", "-L"]
        found.append({"engine": engine.name, "user": None, "command": command})
    return found
