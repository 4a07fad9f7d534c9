# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The repository of the packages: its file, its key, and others that are in its way. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.openpgp import plain_fingerprint

from .packages import wanted
from .places import PLACES


def repository(wishes, node, packages):
    """The options of the module package_repository; None where the packages come from elsewhere."""
    if wishes.source != "repository":
        return None
    manager = node.info["system"]["manager"]
    path, key_path, kind = PLACES[manager]
    url = _url(wishes, node)
    content = _apt(url, key_path) if kind == "deb" else _rpm(url, key_path, packages if wishes.hold else ())
    return {"manager": manager, "path": path, "content": content, "key_path": key_path, **_key(wishes)}


def removal(wishes, node):
    """The options of the module package_repository that take everything of repository() away; None where no package manager is known."""
    manager = node.info["system"]["manager"]
    if manager is None:
        return None
    path, key_path, _kind = PLACES[manager]
    return {"manager": manager, "path": path, "key_path": key_path, "fingerprints": _key(wishes)["fingerprints"]}


def artefacts(wishes, node):
    """The options of the module package_index_info, to ask the repository for a node that does not reach it."""
    system = node.info["system"]
    if system["manager"] is None:
        raise InfraError("no package manager for this system is known", "node", system["name"] or "an unknown system", "apt, dnf, yum or zypper")
    return {
        "url": _url(wishes, node),
        "format": PLACES[system["manager"]][2],
        "packages": list(wanted(wishes)),
        "version": wishes.package_version,
        **_key(wishes),
    }


def old_files(wishes, node):
    """Files to remove because they name the toolkit's repository too. Raises InfraError where that is not allowed or can't be done."""
    own = PLACES[node.info["system"]["manager"]][0]
    # Another file for the same packages makes apt refuse all of them when it names another key, and can bring another version with any manager.
    found = [file for file in node.info["repositories"] if file["path"] != own]
    if not found or wishes.source != "repository":
        return []
    listed = ", ".join(f"{file['path']} ({' '.join(file['urls'])})" for file in found)
    mixed = [file["path"] for file in found if file["others"]]
    if mixed:
        raise InfraError(
            "the repository of NVIDIA's Container Toolkit is set up in a file with others", where="repositories", got=listed,
            fix=f"Take its lines out of {' and '.join(mixed)} by hand",
        )  # fmt: skip
    if not wishes.remove_old_repositories:
        raise InfraError(
            "the repository of NVIDIA's Container Toolkit is set up already, by other files", where="repositories", got=listed,
            fix="Allow the role to remove them (a copy is kept) with nvidia_container_toolkit_remove_old_repositories=true,"
            " or use them as they are with nvidia_container_toolkit_source=configured",
        )  # fmt: skip
    return [file["path"] for file in found]


def _key(wishes):
    """{key, key_url, fingerprints}; of the first two one is None."""
    fingerprints = [plain_fingerprint(fingerprint) for fingerprint in wishes.key_fingerprints]
    return {"key": wishes.key or None, "key_url": None if wishes.key else wishes.key_url, "fingerprints": fingerprints}


def _url(wishes, node):
    system = node.info["system"]
    return f"{wishes.repository_url.rstrip('/')}/{PLACES[system['manager']][2]}/{system['architecture']}"


def _apt(url, key):
    return f"# Written by the Ansible role prositronic.infra.nvidia_container_toolkit.\nTypes: deb\nURIs: {url}\nSuites: /\nSigned-By: {key}\n"


def _rpm(url, key, held):
    """The packages themselves are not signed, the list of packages is: gpgcheck=1 would refuse all of them."""
    lines = [
        "# Written by the Ansible role prositronic.infra.nvidia_container_toolkit.",
        "[nvidia-container-toolkit]",
        "name=NVIDIA Container Toolkit",
        f"baseurl={url}",
        "enabled=1",
        "gpgcheck=0",
        "repo_gpgcheck=1",
        f"gpgkey=file://{key}",
        "sslverify=1",
    ]
    if held:
        lines.append("includepkgs=" + " ".join(f"{name}-{version}" for name, version in held.items()))
    return "\n".join(lines) + "\n"
