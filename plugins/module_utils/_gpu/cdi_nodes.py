# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the devices in /dev that a CDI specification names are those of the node. Private: not an interface for other collections."""

from __future__ import annotations

import re

_GPU = re.compile(r"/dev/nvidia\d+")
_ALL = "all"


def of(value):
    """Every device node in a specification, as a dictionary."""
    if isinstance(value, dict):
        nodes = value.get("deviceNodes")
        yield from (node for node in nodes if isinstance(node, dict)) if isinstance(nodes, list) else ()
        for item in value.values():
            yield from of(item) if isinstance(item, (dict, list)) else ()
    elif isinstance(value, list):
        for item in value:
            yield from of(item)


def path_of(node):
    """Its path on the host, which may be another in the container."""
    return str(node.get("hostPath") or node.get("path"))


def why_stale(tree, names, nodes):
    """What doesn't fit, else None. C(names): of the devices of an NVIDIA specification; C(nodes): see of()."""
    for node in nodes:
        # A number that is written down is what a container gets; that of nvidia-uvm is another one after each start of the machine.
        # nvidia-ctk leaves a minor number out that is 0.
        major, minor, here = _number(node.get("major")), _number(node.get("minor", 0)), tree.device(path_of(node))
        if here and major is not None and minor is not None and (major, minor) != (here.major, here.minor):
            return f"{path_of(node)} is device {major}:{minor} there, and {here.major}:{here.minor} here"
    named = {path_of(node) for node in nodes}
    # One of a Jetson or of WSL names other nodes for its GPU.
    if _ALL in names and any(_GPU.fullmatch(path) for path in named):
        missing = sorted(set(_here(tree)) - named)
        if missing:
            return f"'{_ALL}' is without {', '.join(missing)}"
    return None


def _here(tree):
    return [f"/dev/{name}" for name in tree.names("/dev") if _GPU.fullmatch(f"/dev/{name}")]


def _number(value):
    """A number, or the text that a YAML reader without types makes of it."""
    return int(value) if isinstance(value, (int, str)) and re.fullmatch(r"\d{1,9}", str(value)) else None
