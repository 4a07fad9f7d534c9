# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How it is proved that containers see the GPUs. Private: not an interface for other collections."""

from __future__ import annotations

from .engines import RUNTIME_PATH, takes_cdi

DEVICE = "nvidia.com/gpu=all"
# Before, containerd's own client knows only device files, whatever the daemon takes.
_CTR_TAKES_CDI_SINCE = (2, 0, 0)
_NAME = "nvidia-container-toolkit-proof"
_PROGRAM = ["nvidia-smi", "-L"]
# Many a JetPack has no nvidia-smi, or does not give it to containers.
_JETSON_PROGRAM = ["sh", "-c", "ls /dev | grep -E '^nv(map|idia0)$'"]


def proofs(wishes, node, engines):
    """How a program that needs a GPU is run in a container of each engine that has a command for that: [{engine, user, image, command}].

    C(image) is {ask, pull} for an engine that does not pull the image itself: C(ask) prints nothing where it is missing.
    """
    if not wishes.verify_image or not node.has_gpu:
        return []
    found = [_proof(engine, wishes, node) for engine in engines if _COMMANDS.get(engine.name) in node.info["clients"]]
    docker = next((engine for engine in node.engines if engine.name == "docker"), None)
    users = [user for user in node.info["users"] if user["name"] in wishes.docker_rootless_users and user["docker"]]
    if docker and "docker" in node.info["clients"]:
        found += [{**_proof(docker, wishes, node, f"--host=unix://{user['runtime']}/docker.sock"), "user": user["name"]} for user in users]
    return [proof for proof in found if proof["command"]]


def _proof(engine, wishes, node, *options):
    made = _ctr(engine, wishes, node) if engine.name == "containerd" else {"image": None, "command": _run(engine, wishes, node, options)}
    return {"engine": engine.name, "user": None, **made}


def _run(engine, wishes, node, options):
    """None for a Podman that takes no CDI devices."""
    if takes_cdi(engine):
        gpu = ["--device", DEVICE]
    elif engine.name == "docker":
        gpu = ["--runtime=nvidia", "--env=NVIDIA_VISIBLE_DEVICES=all"]
    else:
        return None
    selinux = node.info["system"]["selinux"]
    confined = selinux and selinux["enforcing"] and not (selinux["container_use_devices"] or wishes.selinux_boolean)
    label = ["--security-opt=label=disable"] if confined else []
    return [engine.name, *options, "run", "--rm", "--network=none", *label, *gpu, wishes.verify_image, *_program(node)]


def _ctr(engine, wishes, node):
    """The client reads CDI specifications itself: it does not show whether the kubelet's containers get their devices."""
    gpu = ["--device", DEVICE] if engine.version >= _CTR_TAKES_CDI_SINCE else ["--runc-binary", RUNTIME_PATH, "--env", "NVIDIA_VISIBLE_DEVICES=all"]
    return {
        "image": {"ask": ["ctr", "images", "list", "--quiet", f"name=={wishes.verify_image}"], "pull": ["ctr", "images", "pull", wishes.verify_image]},
        "command": ["ctr", "run", "--rm", *gpu, wishes.verify_image, _NAME, *_program(node)],
    }


def _program(node):
    return _JETSON_PROGRAM if node.jetson else _PROGRAM


# CRI-O has no command that runs a container without the settings of a whole pod.
_COMMANDS = {"podman": "podman", "docker": "docker", "containerd": "ctr"}
