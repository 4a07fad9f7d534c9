# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the filter helm_values."""

from __future__ import annotations

from ..._options import Option, check_options
from ..._planning.wishes import EMIT

WHERE = "helm_values"
KINDS = ("Deployment", "StatefulSet")
SPEC = {
    "node_class": Option("dict"),
    "model": Option("dict"),
    "alias": Option("line"),
    "replicas": Option("int", minimum=0, maximum=10_000),
    "kind": Option("str", choices=KINDS),
    "port": Option("int", minimum=1, maximum=65535),
    "api_key_secret": Option("line"),
    "tls_secret": Option("line"),
    "metrics": Option("bool"),
    "ui": Option("bool"),
    "emit": Option("str", choices=EMIT),
    "extra_args": Option("strs"),
    "environment": Option("dict"),
    "log_verbosity": Option("int", minimum=0, maximum=4),
    "allow_tools": Option("bool"),
    "build": Option("int", minimum=1),
    "image": Option("line"),
    "image_pull_secrets": Option("strs"),
    "gpu_resource": Option("line"),
    "runtime_class": Option("line"),
    "device_groups": Option("strs"),
    "cpu": Option("line"),
    "memory_limit_bytes": Option("int", minimum=1),
    "disk_bytes_per_second": Option("int", minimum=10**6),
    "start_timeout_seconds": Option("int", minimum=1, maximum=7 * 86400),
    "multi_node": Option("dict"),
    "values": Option("dict"),
}
MULTI_NODE_SPEC = {
    "image": Option("line"),
    "command": Option("str"),
    "kind": Option("str", choices=("Auto", "StatefulSet", "LeaderWorkerSet")),
    "accept_unauthenticated": Option("bool"),
}
MODEL_SPEC = {
    "source": Option("str", choices=("download", "claim", "image", "hostPath")),
    "file": Option("str"),
    "files": Option("dicts"),
    "allow_unverified": Option("bool"),
    "token_secret": Option("line"),
    "claim_name": Option("line"),
    "sub_path": Option("str"),
    "size": Option("line"),
    "storage_class": Option("str"),
    "access_modes": Option("strs"),
    "image": Option("line"),
    "host_path": Option("str"),
}
FILE_SPEC = {"name": Option("str"), "url": Option("str"), "size_bytes": Option("int", minimum=0), "sha256": Option("line")}


def checked(given):
    """The options with None for those not given, C(model) too. Raises InfraError for one that is unknown or malformed."""
    option = check_options(given, SPEC, WHERE)
    return {**option, "model": check_options(option["model"] or {}, MODEL_SPEC, f"{WHERE}.model")}
