# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether an engine may be restarted. Private: not an interface for other collections."""

from __future__ import annotations

_LINE = "Allow it with nvidia_container_toolkit_restart={}"


def restart_refusal(engine, wishes, node):
    """Why the engine must not be restarted, None where it may be."""
    counts = node.info["containers"].get(engine, {"running": 0, "gpu": 0})
    if wishes.restart == "always":
        return None
    if wishes.restart == "never":
        return f"{engine} has to be restarted, which is not allowed. {_LINE.format('idle')}, or restart it by hand after the settings were written by hand."
    if counts["gpu"]:
        return f"{engine} has to be restarted and runs {_containers(counts['gpu'])} with a GPU. Stop them first. {_LINE.format('always')}."
    if wishes.restart == "idle" and counts["running"]:
        return f"{engine} has to be restarted and runs {_containers(counts['running'])}. Stop them first. {_LINE.format('unless_gpu')}."
    return None


def _containers(count):
    return "1 container" if count == 1 else f"{count} containers"
