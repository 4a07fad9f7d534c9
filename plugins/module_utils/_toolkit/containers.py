# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which engine runs containers, and which of them use an NVIDIA GPU. Private: not an interface for other collections.

Read from /proc, so it needs no engine to answer: a container's first process is a child of its monitor, and in its
file system the device files of a GPU or, for a rootless one, mounts of the driver can be seen. For root.
"""

from __future__ import annotations

import re

_GPU_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/nvhost-gpu", "/dev/nvgpu")
_GPU_MOUNT = re.compile(r" /(?:\S*/)?(?:nvidia\d*|nvidiactl|nvidia-smi|libcuda\.so\S*|libnvidia-ml\.so\S*) ")


def read(tree):
    """{engine: {running, gpu}}: how many containers run, and how many of them use a GPU. Engines without containers are left out."""
    processes = {name: _process(tree, name) for name in tree.names("/proc") if name.isdigit()}
    found = {}
    for number, (command, parent) in processes.items():
        if parent not in processes or _engine(command):
            continue
        engine = _engine(processes[parent][0])
        if engine is None:
            continue
        counts = found.setdefault(engine, {"running": 0, "gpu": 0})
        counts["running"] += 1
        counts["gpu"] += _uses_gpu(tree, number)
    return found


def _process(tree, number):
    """(its command line, the number of its parent)."""
    command = (tree.text(f"/proc/{number}/cmdline") or "").replace("\0", " ")
    # The name in brackets may hold anything, also brackets and spaces.
    behind = (tree.text(f"/proc/{number}/stat") or "").rpartition(")")[2].split()
    return command, behind[1] if len(behind) > 1 else None


def _engine(command):
    """The engine whose monitor of one container this is."""
    program = command.split(" ")[0].rpartition("/")[2]
    if program.startswith("containerd-shim"):
        return "docker" if re.search(r"-namespace (moby|plugins\.moby)\b", command) else "containerd"
    if program == "conmon" or program == "conmon-rs":
        return "crio" if "crio" in command else "podman"
    return None


def _uses_gpu(tree, number):
    root = f"/proc/{number}/root"
    if any(tree.exists(root + path) for path in _GPU_FILES):
        return True
    return bool(_GPU_MOUNT.search(tree.text(f"/proc/{number}/mountinfo") or ""))
