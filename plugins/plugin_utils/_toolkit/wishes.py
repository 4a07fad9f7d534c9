# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the person wants of the toolkit. Private: not an interface for other collections."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.openpgp import plain_fingerprint

from .._options import Option, check_options

ENGINES = ("podman", "docker", "containerd", "crio")
SPEC = {
    "state": Option("str", choices=("present", "absent", "verify", "artefacts")),
    "version": Option("str"),
    "cdi_only": Option("bool"),
    "source": Option("str", choices=("repository", "configured", "directory")),
    "repository_url": Option("str"),
    "key_url": Option("str"),
    "key": Option("str"),
    "key_fingerprints": Option("strs"),
    "directory": Option("str"),
    "checksums": Option("dict"),
    "hold": Option("bool"),
    "engines": Option("strs"),
    "runtime": Option("str", choices=("auto", "always", "never")),
    "default_runtime": Option("bool"),
    "docker_rootless_users": Option("strs"),
    "restart": Option("str", choices=("never", "idle", "unless_gpu", "always")),
    "selinux_boolean": Option("bool"),
    "verify_image": Option("str"),
    "allow_upgrade": Option("bool"),
    "allow_downgrade": Option("bool"),
    "allow_no_gpu": Option("bool"),
    "allow_overwrite": Option("bool"),
    "remove_old_repositories": Option("bool"),
    "remove_stale_cdi_specs": Option("bool"),
    "remove_oci_hook": Option("bool"),
}
_VERSION = re.compile(r"\d+\.\d+\.\d+(~rc\.\d+)?(-\d+)?")


@dataclass(frozen=True)
class Wishes:
    """The options of the filter nvidia_container_toolkit_steps, whose documentation says what they mean."""

    state: str = "present"
    version: str = "1.20.0"
    cdi_only: bool = False
    source: str = "repository"
    repository_url: str = "https://nvidia.github.io/libnvidia-container/stable"
    key_url: str = "https://nvidia.github.io/libnvidia-container/gpgkey"
    key: str = ""
    key_fingerprints: tuple = ("C95B321B61E88C1809C4F759DDCAE044F796ECB0",)
    directory: str = ""
    checksums: dict | None = None
    hold: bool = False
    engines: tuple = ()
    runtime: str = "auto"
    default_runtime: bool = False
    docker_rootless_users: tuple = ()
    restart: str = "idle"
    selinux_boolean: bool = False
    verify_image: str = ""
    allow_upgrade: bool = False
    allow_downgrade: bool = False
    allow_no_gpu: bool = False
    allow_overwrite: bool = False
    remove_old_repositories: bool = False
    remove_stale_cdi_specs: bool = False
    remove_oci_hook: bool = False

    @property
    def package_version(self):
        """The version as package managers write it, with the number of NVIDIA's build."""
        return self.version if "-" in self.version else f"{self.version}-1"


def wishes(given):
    """Wishes from options. Raises InfraError for an unknown option or a value that can't be."""
    checked = check_options(given, SPEC, "nvidia_container_toolkit_steps")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in checked.items() if value is not None}
    made = Wishes(**values)
    if not _VERSION.fullmatch(made.version):
        raise InfraError("this is no version of the toolkit", where="version", got=shown(made.version), expected="one version, as in 1.20.0")
    for engine in made.engines:
        if engine not in ENGINES:
            raise InfraError("unknown engine", where="engines", got=shown(engine), expected=" or ".join(ENGINES))
    for fingerprint in made.key_fingerprints:
        plain_fingerprint(fingerprint)
    if made.source == "directory" and not made.directory.startswith("/"):
        raise InfraError("the folder with the packages is not named", where="directory", got=shown(made.directory), expected="a full path on the node")
    if not made.repository_url.startswith(("https://", "http://", "file:///")):
        raise InfraError("this is no address of a repository", where="repository_url", got=shown(made.repository_url), expected="https://...")
    return made
