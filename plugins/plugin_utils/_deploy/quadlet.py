# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A unit for Podman's generator (podman-systemd.unit).

What is written for Podman 5 uses the keys that Podman 5.0 had; for older ones, down to 4.4, everything that came later is given as PodmanArgs.
"""

from __future__ import annotations

import posixpath
import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from . import health
from .container import MODELS, TEMPORARY, inside
from .instance import STOP_SECONDS
from .mark import marked
from .options import WHERE
from .unit_text import command_line, command_word, section, specifiers, word

PORT = 8080
SECRETS = "/run/llama-server"
"""Not /run/secrets: Podman binds that read-only where the container is, and runc can put nothing in (https://github.com/containers/podman/issues/15541)."""

DEFAULT_USER = "65534:65534"
"""nobody: llama.cpp's images name no user, so the server would be root."""

USER = re.compile(r"\d{1,10}(?::\d{1,10})?", re.ASCII)
OLDEST = (4, 4)
FIVE = (5, 0)
DIRECTORIES = {False: "/etc/containers/systemd", True: "~/.config/containers/systemd"}


def quadlet(made):
    """(files, commands, check, requirements, reasons, warnings) of an Instance."""
    rootless = bool(made.option["rootless"])
    version = _version(made.option["podman_version"])
    directory = made.option["directory"] or DIRECTORIES[rootless]
    _refuse_separators(made)
    files = [_file(directory, f"{made.unit}.container", container_text(made, rootless, version))]
    if not rootless:
        files.append(_file(directory, f"{made.unit}.network", section("Network", [("NetworkName", made.unit)])))
    systemctl = ["systemctl", "--user"] if rootless else ["systemctl"]
    commands = [
        {"argv": ["podman", "pull", made.image], "why": "The unit never pulls: its start has a time limit, and what runs is what was pulled."},
        {"argv": [*systemctl, "daemon-reload"], "why": "Podman's generator makes the service then."},
        {"argv": [*systemctl, "start", f"{made.unit}.service"], "why": "It returns when the server is ready."},
    ]
    if rootless:
        commands.insert(0, {"argv": ["loginctl", "enable-linger"], "why": "Without it the server ends when its user logs out."})
    check = {"argv": ["/usr/libexec/podman/quadlet", *(["-user"] if rootless else []), "-dryrun"], "environment": {"QUADLET_UNIT_DIRS": "%s"}}
    return files, commands, check, _requirements(made, version), _reasons(made, rootless, version), _warnings(made, rootless)


def _file(directory, name, content):
    return {"path": posixpath.join(directory, name), "content": marked(content), "mode": "0644"}


def _version(text):
    """(major, minor)."""
    if text is None:
        return FIVE
    found = re.match(r"(\d{1,3})\.(\d{1,3})(?:\.|$|-|\+)", text, re.ASCII)
    if not found:
        raise InfraError("not a version of Podman", f"{WHERE}.podman_version", shown(text), "such as 5.4.2")
    version = int(found[1]), int(found[2])
    if version < OLDEST:
        raise InfraError("this Podman has no Quadlet", f"{WHERE}.podman_version", shown(text), "4.4 or newer", "Take the target compose or systemd")
    return version


def _refuse_separators(made):
    """Podman splits a volume at ':', and has no way to write one that is meant."""
    if ":" in made.model_directory:
        raise InfraError("Podman can't mount a directory with ':' in its name", f"{WHERE}.model", shown(made.model_directory))
    for node in made.access.nodes:
        if ":" in node:
            raise InfraError("Podman can't give a container a device with ':' in its name", f"{WHERE}.device_nodes", shown(node))


def container_text(made, rootless, version):
    unit = [
        ("Description", specifiers(f"llama-server {made.name}")),
        ("Wants", "network-online.target"),
        ("After", "network-online.target"),
        *_cdi_order(made, rootless),
        ("RequiresMountsFor", None if rootless else word(made.model_directory)),
        ("StartLimitIntervalSec", str(4 * made.start_timeout_seconds)),
        ("StartLimitBurst", "3"),
    ]
    service = [
        ("TimeoutStartSec", str(made.start_timeout_seconds)),
        ("TimeoutStopSec", str(STOP_SECONDS + 30)),
        ("Restart", "on-failure"),
        ("RestartSec", "10"),
        ("ExecStartPost", None if version >= FIVE else _wait(made)),
    ]
    install = [("WantedBy", "default.target" if rootless else "multi-user.target")]
    parts = [("Unit", unit), ("Container", _container(made, rootless, version)), ("Service", service), ("Install", install)]
    return "\n".join(section(name, rows) for name, rows in parts)


def _cdi_order(made, rootless):
    """User units can't wait for units of the system."""
    return [] if rootless or not made.access.cdi else [("Wants", "nvidia-cdi-refresh.service"), ("After", "nvidia-cdi-refresh.service")]


def _wait(made):
    script = health.wait_script(["podman", "healthcheck", "run", made.unit])
    return f"/bin/sh -c {command_word(script)}"


def _container(made, rootless, version):
    option, access = made.option, made.access
    args = made.args(inside(made), "0.0.0.0", PORT, lambda secret: f"{SECRETS}/{secret.id}")
    label = {"relabel": ",z"}.get(option["selinux"], "")
    user = _user(option["user"], rootless)
    rows = [
        ("Image", specifiers(made.image)),
        ("ContainerName", made.unit),
        ("Exec", command_line(args)),
        *(("Environment", command_word(f"{name}={value}")) for name, value in environment(made).items()),
        ("Volume", raw(f"{made.model_directory}:{MODELS}:ro{label}")),
        ("PublishPort", f"{made.address.published}:{PORT}"),
        ("Network", None if rootless else f"{made.unit}.network"),
        *(("AddDevice", raw(device)) for device in (*access.cdi, *access.nodes)),
        ("User", user and user.partition(":")[0]),
        ("Group", user and (user.partition(":")[2] or None)),
        ("NoNewPrivileges", "true"),
        ("DropCapability", "all"),
        ("ReadOnly", "true"),
        ("SecurityLabelDisable", "true" if option["selinux"] == "disabled" else None),
        ("Notify", "healthy" if version >= FIVE else None),
    ]
    return rows + [_since_five(key, argument, value, version) for key, argument, value in _newer(made, rootless, user)]


def _newer(made, rootless, user):
    """(key of Podman 5, option of podman, value); without a key where 5.0 had none."""
    command = " ".join(health.curl(f"{made.scheme}://127.0.0.1:{PORT}", made.tls))
    groups = (["keep-groups"] if rootless else made.option["device_groups"] or []) if made.access.groups else []
    owner = "" if user is None else ",uid={},gid={}".format(user.partition(":")[0], user.partition(":")[2] or 0)
    return [
        ("Pull", "--pull", "never"),
        # Straight into the journal of the unit: what a container says that ends at once would be lost with the process that carries it there.
        ("LogDriver", "--log-driver", "passthrough"),
        ("Tmpfs", "--tmpfs", TEMPORARY),
        *(("Secret", "--secret", f"{secret.store},type=mount,target={SECRETS}/{secret.id}{owner},mode=0400") for secret in made.secrets),
        *(("GroupAdd", "--group-add", group) for group in groups),
        *([("Ulimit", "--ulimit", "memlock=-1:-1")] if made.locks_memory else []),
        ("HealthCmd", "--health-cmd", command),
        ("HealthStartupCmd", "--health-startup-cmd", command),
        ("HealthStartupInterval", "--health-startup-interval", f"{health.START_INTERVAL_SECONDS}s"),
        ("HealthStartupSuccess", "--health-startup-success", "1"),
        ("HealthStartupTimeout", "--health-startup-timeout", f"{health.TIMEOUT_SECONDS}s"),
        ("HealthInterval", "--health-interval", f"{health.INTERVAL_SECONDS}s"),
        ("HealthTimeout", "--health-timeout", f"{health.TIMEOUT_SECONDS}s"),
        ("HealthRetries", "--health-retries", str(health.RETRIES)),
        ("HealthStartPeriod", "--health-start-period", f"{made.start_timeout_seconds}s"),
        ("HealthOnFailure", "--health-on-failure", "kill"),
        ("StopTimeout", "--stop-timeout", str(STOP_SECONDS)),
        (None, "--memory", f"{made.memory_limit_bytes}b"),
    ]


def _since_five(key, argument, value, version):
    if key is not None and version >= FIVE:
        return key, raw(value)
    return "PodmanArgs", command_word(f"{argument}={value}")


def raw(text):
    """C(text) for a key whose line Podman takes as it is, and puts into a command line of systemd's, where % and $ are read."""
    return specifiers(text).replace("$", "$$")


def environment(made):
    """HOME: the only place that can be written to, for the caches of drivers (~/.nv, mesa's shaders)."""
    return {"HOME": "/tmp", **made.environment}


def _user(asked, rootless):
    return numeric_user(asked) or (None if rootless else DEFAULT_USER)


def numeric_user(asked):
    """C(asked), None for None. Raises InfraError for a name."""
    if asked is not None and not USER.fullmatch(asked):
        raise InfraError("not a user for a container", f"{WHERE}.user", shown(asked), "numbers as in 10001:10001: names are those of the image")
    return asked


def container_groups(groups):
    """Raises InfraError for a name: in an image the groups have other numbers."""
    for index, group in enumerate(groups or ()):
        if not re.fullmatch(r"\d{1,10}", group, re.ASCII):
            raise InfraError(
                "not the number of a group", f"{WHERE}.device_groups[{index}]", shown(group), "a number", "Say what getent group render video gives on the node"
            )


def _requirements(made, version):
    needs = ["podman " + ("5.0" if version >= FIVE else "4.4") + " or newer, with cgroup v2"]
    if made.access.cdi:
        needs.append("the NVIDIA Container Toolkit, and its CDI specification of the node")
    return needs


def _reasons(made, rootless, version):
    reasons = []
    if version < FIVE:
        reasons.append("Podman before 5.0 does not tell systemd when a container is healthy; the unit asks itself (ExecStartPost).")
    if rootless:
        reasons.append("Rootless: root of the container is the unit's user, without any capability.")
    return reasons


def _warnings(made, rootless):
    warnings = []
    if made.access.groups and not rootless:
        container_groups(made.option["device_groups"])
        if not made.option["device_groups"]:
            warnings.append("The GPU's device nodes belong to the groups render and video; give their numbers on the node as device_groups.")
    if made.access.cdi and made.option["selinux"] != "disabled":
        warnings.append("Where SELinux is enforced, the boolean container_use_devices has to be on.")
    if made.option["selinux"] in (None, "confined"):
        warnings.append(f"Where SELinux is enforced, {made.model_directory} needs a label that containers may read, such as container_ro_file_t.")
    return warnings
