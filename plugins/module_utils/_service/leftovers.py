# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images and releases that were brought to the node for servers. They go with the last server that they were brought for.

An image that was there before is not ours, and one that another container uses stays: its engine refuses to remove it.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._service import archive


def image(engine, name):
    return f"{engine} image {name}"


def release(directory):
    return f"release {directory}"


def remove(remembered, run):
    """Remove what was brought for this server and for no other."""
    others = {what for memory in remembered.others() for what in memory.brought}
    for what in remembered.brought:
        if what in others:
            continue
        kind, _blank, name = what.partition(" ")
        if kind == "release":
            archive.remove(name)
        else:
            run([kind, "image", "rm", name.partition(" ")[2]])
