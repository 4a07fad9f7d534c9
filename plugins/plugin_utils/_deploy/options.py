# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the filter llama_server_manifests, and which target takes which."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .._options import Option, check_option, check_options
from .._planning.wishes import EMIT

WHERE = "llama_server_manifests"
TARGETS = ("quadlet", "compose", "systemd")
CONTAINERS = ("quadlet", "compose")
SELINUX = ("confined", "relabel", "disabled")

SPEC = {
    "name": Option("line"),
    "model": Option("str"),
    "alias": Option("line"),
    "host": Option("line"),
    "port": Option("int", minimum=1, maximum=65535),
    "api_key_file": Option("str"),
    "api_key_secret": Option("line"),
    "tls_cert_file": Option("str"),
    "tls_key_file": Option("str"),
    "metrics": Option("bool"),
    "ui": Option("bool"),
    "emit": Option("str", choices=EMIT),
    "extra_args": Option("strs"),
    "environment": Option("dict"),
    "log_verbosity": Option("int", minimum=0, maximum=4),
    "allow_tools": Option("bool"),
    "build": Option("int", minimum=1),
    "image": Option("line"),
    "memory_limit_bytes": Option("int", minimum=1),
    "disk_bytes_per_second": Option("int", minimum=10**6),
    "start_timeout_seconds": Option("int", minimum=1, maximum=7 * 86400),
    "directory": Option("str"),
    "user": Option("line"),
    "device_groups": Option("strs"),
    "device_nodes": Option("strs"),
    "cdi_devices": Option("strs"),
    "selinux": Option("str", choices=SELINUX),
    "rootless": Option("bool"),
    "podman_version": Option("line"),
    "engine": Option("str", choices=("docker", "podman")),
    "gpu_access": Option("str", choices=("cdi", "reservation")),
    "binary": Option("str"),
    "package": Option("line"),
    "archive_url": Option("line"),
    "archive_sha256": Option("line"),
    "public_name": Option("line"),
    "facts": Option("dict"),
}
ONLY = {
    **dict.fromkeys(("image", "cdi_devices", "selinux"), CONTAINERS),
    **dict.fromkeys(("api_key_secret", "rootless", "podman_version"), ("quadlet",)),
    **dict.fromkeys(("engine", "gpu_access"), ("compose",)),
    **dict.fromkeys(("binary", "package", "archive_url", "archive_sha256"), ("systemd",)),
}
"""Options that not every target has."""


def checked(target, given):
    """The options with None for those not given. Raises InfraError for one that is unknown, malformed, or another target's."""
    target = check_option(target, Option("str", choices=TARGETS), f"{WHERE}.target")
    if target is None:
        raise InfraError("the target is missing", WHERE, expected=" or ".join(TARGETS))
    option = check_options(given, SPEC, WHERE)
    for name, targets in ONLY.items():
        if option[name] is not None and target not in targets:
            raise InfraError(f"the target {target} has no '{name}'", WHERE, expected=f"'{name}' with {' or '.join(targets)}", fix="Leave it out")
    return option
