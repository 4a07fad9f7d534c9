# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What nvidia-smi complains of, and what mends it. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.findings import Problem
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.programs import TIMED_OUT

_LIBRARY_VERSION = re.compile(r"NVML library version:\s*(\d+(?:\.\d+)+)")
MISMATCH_FIX = "The driver was updated while its old kernel module stayed loaded: reboot the node, or stop what uses the GPU and load the nvidia modules again."
RESET_FIX = "Stop what uses it and run 'nvidia-smi --gpu-reset', or reboot the node."
UNREADABLE_FIX = "Run nvidia-smi as root on the host, and look for 'Xid' in the kernel log."
LOST_FIX = "Look for 'Xid' in the kernel log, then reset the GPU or power-cycle the node."
TIMEOUT_FIX = "Look for 'Xid' in the kernel log and reboot the node; where the GPU is only slow to wake, start nvidia-persistenced or raise the timeout."

_KNOWN_FAILURES = (
    # code, what nvidia-smi says, fix
    (
        "driver_not_loaded",
        "couldn't communicate with the NVIDIA driver",
        "Load the kernel module with 'modprobe nvidia' and see the kernel log if that fails; after an update of the kernel rebuild the module. "
        "A node without an NVIDIA GPU needs no driver.",
    ),
    (
        "driver_library_mismatch",
        "Driver/library version mismatch",
        MISMATCH_FIX,
    ),
    (
        "no_devices",
        "No devices were found",
        "See the kernel log for why the driver refused the GPU: a driver too old for it, the wrong kind of kernel module, or a fault of the card.",
    ),
    ("gpu_lost", "Unable to determine the device handle", LOST_FIX),
    ("gpu_lost", "GPU is lost", LOST_FIX),
    (
        "container_lost_gpu",
        "Failed to initialize NVML: Unknown Error",
        "Start the container again; that it doesn't come back at the next 'systemctl daemon-reload', give it the GPU as a CDI device.",
    ),
    (
        "wsl_gpu_blocked",
        "GPU access blocked by the operating system",
        "Run 'wsl --update' and 'wsl --shutdown' in Windows, and update its NVIDIA driver.",
    ),
    (
        "permission_denied",
        "Insufficient Permissions",
        "Let this user read and write the /dev/nvidia* devices; in a container with SELinux, switch the label off or allow devices.",
    ),
    (
        "permission_denied",
        "Permission denied",
        "Let this user run nvidia-smi, and read and write the /dev/nvidia* devices.",
    ),
    (
        "nvidia_library_missing",
        "couldn't find libnvidia-ml.so",
        "Install the driver's libraries of the same version as nvidia-smi; a container gets them from the NVIDIA Container Toolkit.",
    ),
)


_FURTHER_FIXES = (
    ("gpu_needs_reset", None, RESET_FIX),
    ("gpu_memory_unreadable", None, UNREADABLE_FIX),
)
_LAST_FIX = "Install nvidia-smi of the driver's version, run it on the node and mend what it says."


def failures(rc, output, answered):
    """What nvidia-smi complained of; it may do so for one GPU and answer for the others, even with code 0."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.strip()[0].isdecimal()]
    if rc == TIMED_OUT:
        return [Problem("nvidia_smi_timeout", "nvidia-smi: " + " ".join(lines), TIMEOUT_FIX)]
    problems = []
    for code, words, fix in _KNOWN_FAILURES:
        said = [line for line in lines if words.lower() in line.lower()]
        if said and code not in [problem.code for problem in problems]:
            problems.append(Problem(code, "nvidia-smi: " + "; ".join(said)[:400], fix))
    if not problems and (rc != 0 or not answered):
        said = lines[0][:200] if lines else "no output"
        problems.append(Problem("nvidia_smi_failed", f"nvidia-smi ended with code {rc}: {said}", "Run nvidia-smi on the node and mend what it says."))
    return problems


def fix_of(code):
    """What mends a problem of this code, where something else than nvidia-smi complains of it."""
    return next((fix for known, _words, fix in (*_KNOWN_FAILURES, *_FURTHER_FIXES) if known == code), _LAST_FIX)


def library_version(output):
    """The version of the library that a complaint names, None where it names none."""
    match = _LIBRARY_VERSION.search(output)
    return match and match.group(1)
