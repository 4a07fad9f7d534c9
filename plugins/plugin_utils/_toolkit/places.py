# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the repository is set up. Private: not an interface for other collections."""

from __future__ import annotations

# By package manager: the file of the repository, that of its key, and the folder under its address.
PLACES = {
    "apt": ("/etc/apt/sources.list.d/nvidia-container-toolkit.sources", "/etc/apt/keyrings/nvidia-container-toolkit.asc", "deb"),
    "dnf": ("/etc/yum.repos.d/nvidia-container-toolkit.repo", "/etc/pki/rpm-gpg/RPM-GPG-KEY-nvidia-container-toolkit", "rpm"),
    "zypper": ("/etc/zypp/repos.d/nvidia-container-toolkit.repo", "/etc/pki/rpm-gpg/RPM-GPG-KEY-nvidia-container-toolkit", "rpm"),
}
PLACES["yum"] = PLACES["dnf"]


def has_own_repository(node):
    """Whether the role has set its repository up on this node."""
    path = PLACES.get(node.info["system"]["manager"], (None,))[0]
    return any(file["path"] == path for file in node.info["repositories"])
