# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A unit for systemd that runs a llama-server of the node itself, shut in as far as a GPU lets it."""

from __future__ import annotations

import posixpath
import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from . import health
from .instance import STOP_SECONDS, checked_path
from .mark import marked
from .options import WHERE
from .unit_text import Expanded, command_line, command_word, section, specifiers, word

DIRECTORY = "/etc/systemd/system"
PACKAGED = "/usr/bin/llama-server"
RELEASES = "/opt/llama.cpp"
ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}|\d{1,10}", re.ASCII)
HOMES = ("/home/", "/root/", "/run/user/")


def systemd_unit(made):
    """(files, commands, check, requirements, reasons, warnings, binary) of an Instance."""
    binary = _binary(made)
    path = posixpath.join(made.option["directory"] or DIRECTORY, f"{made.unit}.service")
    commands = [
        {"argv": ["systemctl", "daemon-reload"], "why": "systemd reads the unit then."},
        {"argv": ["systemctl", "enable", "--now", f"{made.unit}.service"], "why": "It returns when the server is ready."},
    ]
    check = {"argv": ["systemd-analyze", "verify", "%s"], "environment": {}}
    requirements = ["systemd 247 or newer", "curl"] + (["nvidia-modprobe, which makes /dev/nvidia-uvm"] if "nvidia" in made.access.vendors else [])
    if "nvidia" in made.access.vendors:
        requirements.append("CUDA's libraries on the node (libcudart, libcublas) for a build with CUDA: releases of llama.cpp hold none")
    files = [{"path": path, "content": marked(unit_text(made, binary["path"])), "mode": "0644"}]
    return files, commands, check, requirements, _reasons(made), _warnings(made), binary


def _binary(made):
    """{kind, path, package, url, sha256, directory}: where the program comes from. Raises InfraError for two sources, and for one without checksum."""
    option = made.option
    found = {"kind": "path", "path": PACKAGED, "package": None, "url": None, "sha256": None, "directory": None}
    if option["package"] is not None and option["archive_url"] is not None:
        raise InfraError("package and archive_url exclude each other", WHERE, fix="Leave one of them out")
    if option["archive_sha256"] is not None and option["archive_url"] is None:
        raise InfraError("archive_sha256 without archive_url", WHERE, fix="Give the address of the archive")
    if option["package"] is not None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+:~=_-]{0,100}", option["package"], re.ASCII):
            raise InfraError("not the name of a package", f"{WHERE}.package", shown(option["package"]))
        found.update(kind="package", package=option["package"])
    if option["archive_url"] is not None:
        found.update(_archive(made, option))
    if option["binary"] is not None:
        found["path"] = checked_path(option["binary"], "binary")
    return found


def _archive(made, option):
    if not re.fullmatch(r"(?:https|file)://\S+", option["archive_url"]):
        raise InfraError("not the address of an archive", f"{WHERE}.archive_url", shown(option["archive_url"]), "https://... or file:///...")
    if not re.fullmatch(r"[0-9a-f]{64}", option["archive_sha256"] or ""):
        raise InfraError(
            "an archive without checksum", f"{WHERE}.archive_sha256", shown(option["archive_sha256"]), "the SHA-256 of the archive, 64 hexadecimal digits"
        )
    if made.build is None:
        raise InfraError("an archive of an unknown build", f"{WHERE}.build", expected="the number in llama-b<number>-bin-...")
    directory = f"{RELEASES}/b{made.build}"
    return {
        "kind": "archive", "url": option["archive_url"], "sha256": option["archive_sha256"], "directory": directory, "path": f"{directory}/llama-server",
    }  # fmt: skip


def unit_text(made, binary):
    unit = [
        ("Description", specifiers(f"llama-server {made.name}")),
        ("Wants", "network-online.target"),
        ("After", "network-online.target" + (" nvidia-persistenced.service" if "nvidia" in made.access.vendors else "")),
        ("RequiresMountsFor", word(made.model_directory)),
        ("StartLimitIntervalSec", str(4 * made.start_timeout_seconds)),
        ("StartLimitBurst", "3"),
    ]
    return "\n".join((section("Unit", unit), section("Service", _service(made, binary)), section("Install", [("WantedBy", "multi-user.target")])))


def _service(made, binary):
    args = made.args(made.model, made.address.ip, made.address.port, lambda secret: Expanded("${CREDENTIALS_DIRECTORY}/" + secret.id))
    ready = command_word(health.wait_script(health.curl(made.url, made.tls)))
    env = {"HOME": "%C/" + made.unit, "LD_LIBRARY_PATH": posixpath.dirname(binary) if binary.startswith(RELEASES) else None}
    return [
        ("Type", "exec"),
        ("ExecStart", command_line([binary, *args])),
        ("ExecStartPre", "-+/usr/bin/nvidia-modprobe -c 0 -u" if "nvidia" in made.access.vendors else None),
        ("ExecStartPost", f"/bin/sh -c {ready}"),
        ("Environment", None if "HOME" in made.environment else f"HOME={env['HOME']}"),
        *(("Environment", word(f"{name}={value}")) for name, value in {**made.environment, "LD_LIBRARY_PATH": env["LD_LIBRARY_PATH"]}.items() if value),
        *(("LoadCredential", specifiers(f"{secret.id}:{secret.source}")) for secret in made.secrets),
        ("TimeoutStartSec", str(made.start_timeout_seconds)),
        ("TimeoutStopSec", str(STOP_SECONDS)),
        ("Restart", "on-failure"),
        ("RestartSec", "10"),
        *_account(made),
        ("CacheDirectory", made.unit),
        ("MemoryMax", str(made.memory_limit_bytes)),
        ("LimitMEMLOCK", "infinity" if made.locks_memory else None),
        *_devices(made),
        *_sandbox(made),
    ]


def _account(made):
    user = made.option["user"]
    if user is not None and not ACCOUNT.fullmatch(user):
        raise InfraError("not a user", f"{WHERE}.user", shown(user), "a name or a number")
    groups = made.option["device_groups"] or ["render", "video"]
    for index, group in enumerate(groups):
        if not ACCOUNT.fullmatch(group):
            raise InfraError("not a group", f"{WHERE}.device_groups[{index}]", shown(group), "a name or a number")
    return [
        ("DynamicUser", None if user else "yes"),
        ("User", user),
        ("SupplementaryGroups", " ".join(groups) if made.access.groups else None),
    ]


def _devices(made):
    """PrivateDevices would hide every GPU; instead only their classes of device nodes can be opened."""
    if not made.access.classes:
        return [("PrivateDevices", "yes")]
    return [("DevicePolicy", "closed"), *(("DeviceAllow", f"{name} rw") for name in made.access.classes)]


def _sandbox(made):
    at_home = made.model.startswith(HOMES)
    bound = word(made.model_directory.replace("\\", "\\\\").replace(":", "\\:"))
    return [
        ("ProtectHome", "tmpfs" if at_home else "yes"),
        ("BindReadOnlyPaths", bound if at_home else None),
        ("ProtectSystem", "strict"),
        ("PrivateTmp", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"),
        ("RestrictNamespaces", "yes"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("LockPersonality", "yes"),
        ("ProtectClock", None if made.access.classes else "yes"),
        ("ProtectHostname", "yes"),
        ("ProtectControlGroups", "yes"),
        ("ProtectKernelLogs", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectProc", "invisible" if not made.access.classes else None),
        ("SystemCallArchitectures", "native"),
        ("SystemCallFilter", "@system-service"),
        ("MemoryDenyWriteExecute", None if made.access.classes else "yes"),
        ("UMask", "0077"),
    ]


def _reasons(made):
    if made.access.classes:
        return ["MemoryDenyWriteExecute is not set: the GPU's driver compiles kernels while it runs."]
    return []


def _warnings(made):
    if made.model.startswith(HOMES):
        return [f"The model lies in a home directory; the server sees {made.model_directory} of it, and its user must be able to read it."]
    return []
