# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each container engine needs for NVIDIA GPUs. Private: not an interface for other collections.

CDI comes first, since containers that got their GPU from the older runtime hook lose it at every "systemctl daemon-reload".
Since which version an engine takes CDI devices: Podman 4.1, Docker 25 (on by default since 28.2), containerd 1.7 (since 2.0),
CRI-O 1.23 (always on).
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

_CDI_SINCE = {"podman": (4, 1, 0), "docker": (25, 0, 0), "containerd": (1, 7, 0), "crio": (1, 23, 0)}
_CDI_BY_DEFAULT_SINCE = {"podman": (4, 1, 0), "docker": (28, 2, 0), "containerd": (2, 0, 0), "crio": (1, 23, 0)}
# The names of containerd's plugin by the version of its file.
_CRI = {2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}
# Before, its own script hid the directories with CDI specifications from it (moby issue 47676).
_ROOTLESS_DOCKER_FINDS_SPECS_SINCE = (28, 0, 0)
_RUNTIME = "nvidia-container-runtime"
RUNTIME_PATH = f"/usr/bin/{_RUNTIME}"
_CRIO_FILE = "/etc/crio/crio.conf.d/90-nvidia-container-toolkit.conf"


def chosen(wishes, node):
    """The engines to set up. Raises InfraError for one that was asked for and is not there."""
    there = {engine.name: engine for engine in node.engines}
    if wishes.engines:
        missing = [name for name in wishes.engines if name not in there]
        if missing:
            raise InfraError(f"{' and '.join(missing)} is not on the node", where="nvidia_container_toolkit_engines", got=", ".join(there) or "no engine")
        return [there[name] for name in wishes.engines]
    # Beside Docker, containerd is a part of it, unless the kubelet uses it too.
    return [engine for engine in node.engines if engine.name != "containerd" or "docker" not in there or node.kubernetes_node]


def takes_cdi(engine):
    return engine.version >= _CDI_SINCE[engine.name]


def engine_step(engine, wishes, node):
    """{name, version, cdi, user, config, link, restart} for the engine of the system; C(config) is None where the engine needs no setting."""
    if wishes.state == "present" and wishes.cdi_only and not takes_cdi(engine):
        since = ".".join(map(str, _CDI_SINCE[engine.name][:2]))
        raise InfraError(
            f"{engine.name} takes no CDI devices in this version", where="nvidia_container_toolkit_cdi_only", got=engine.told_version,
            expected=f"{since} or newer",
        )  # fmt: skip
    config = _CONFIGS[engine.name](engine, wishes, node)
    return {
        "name": engine.name,
        "version": engine.told_version,
        "cdi": takes_cdi(engine),
        "user": None,
        "config": config,
        "link": None,
        "restart": _restart(engine, node),
    }


def rootless_docker(engine, user, wishes, node, spec):
    """The same for the Docker of a user, who runs it without root. C(link): {path, to} of a link to the CDI specification, which is at C(spec)."""
    if not takes_cdi(engine) and wishes.state == "present":
        raise InfraError("a rootless Docker needs CDI", where="docker_rootless_users", got=f"Docker {engine.told_version}", expected="25.0 or newer")
    directory = f"{user['home']}/.config/docker"
    settings = _docker_settings(engine, wishes, node)
    link = None
    if engine.version < _ROOTLESS_DOCKER_FINDS_SPECS_SINCE:
        # The file may be a link, and only a directory may not.
        link = {"path": f"{directory}/cdi/nvidia.yaml", "to": spec}
        settings.append({"path": ["cdi-spec-dirs"], "value": [f"{directory}/cdi"]})
    restart = {"unit": "docker.service", "active": user["docker"], "scope": "user", "runtime_directory": user["runtime"]}
    return {
        "name": "docker",
        "version": engine.told_version,
        "cdi": True,
        "user": user["name"],
        "config": _config(f"{directory}/daemon.json", "json", settings, _docker_check(engine)),
        "link": link,
        "restart": restart,
    }


def _restart(engine, node):
    daemon = node.info["daemons"].get(engine.name)
    return daemon and {"unit": daemon["unit"], "active": daemon["active"], "scope": "system", "runtime_directory": None}


def _registers(engine, wishes, node):
    """Whether the engine is told of NVIDIA's runtime."""
    if wishes.runtime == "auto":
        # Kubernetes chooses the runtime by its name (a RuntimeClass), as many charts for GPUs do.
        return wishes.default_runtime or not takes_cdi(engine) or (engine.name != "docker" and node.kubernetes_node)
    return wishes.runtime == "always" or wishes.default_runtime


def _switches_cdi_on(engine, wishes):
    if not takes_cdi(engine):
        return False
    # Where it is the default only somebody's "false" is in the way, and that is then found as a conflict.
    return engine.version < _CDI_BY_DEFAULT_SINCE[engine.name] or (engine.cdi is False and wishes.state == "present")


def _podman(engine, wishes, _node):
    """Podman reads CDI specifications and has no daemon."""
    if wishes.state == "present" and wishes.engines and not takes_cdi(engine):
        raise InfraError(
            "podman takes no CDI devices in this version", where="nvidia_container_toolkit_engines", got=engine.told_version, expected="4.1 or newer"
        )


def _docker(engine, wishes, node):
    arguments = (node.info["daemons"].get("docker") or {}).get("arguments", [])
    settings = _docker_settings(engine, wishes, node)
    _refuse_flags(arguments, settings)
    return _config(_argument(arguments, "--config-file") or "/etc/docker/daemon.json", "json", settings, _docker_check(engine))


def _docker_settings(engine, wishes, node):
    settings = []
    if _switches_cdi_on(engine, wishes):
        settings.append({"path": ["features", "cdi"], "value": True})
    if _registers(engine, wishes, node):
        settings.append({"path": ["runtimes", "nvidia", "path"], "value": _RUNTIME})
        settings.append({"path": ["runtimes", "nvidia", "args"], "value": []})
    if wishes.default_runtime:
        settings.append({"path": ["default-runtime"], "value": "nvidia"})
    return settings


def _docker_check(engine):
    """The daemon can check a file since Docker 23."""
    return ["dockerd", "--validate", "--config-file=%s"] if engine.version >= (23, 0, 0) else []


def _refuse_flags(arguments, settings):
    """Docker does not start when the same is set in its file and on its command line."""
    for flag, key in (("--add-runtime", "runtimes"), ("--default-runtime", "default-runtime"), ("--feature", "features")):
        if any(argument == flag or argument.startswith(flag + "=") for argument in arguments) and any(one["path"][0] == key for one in settings):
            raise InfraError(
                f"Docker is started with {flag}, and would not start with '{key}' in its file too", where="docker.service", got=" ".join(arguments),
                fix=f"Move {flag} from the unit to daemon.json",
            )  # fmt: skip


def _containerd(engine, wishes, node):
    """Its file is changed in place: of two files with the same section containerd 1 keeps only one section, so a drop-in would lose settings."""
    there = node.info["containerd_version"]
    version = there or (3 if engine.version >= (2, 0, 0) else 2)
    if version not in _CRI:
        old = version < min(_CRI)
        raise InfraError(
            f"the file of containerd is of {'an old format' if old else 'a format that is not known here'}", where="/etc/containerd/config.toml",
            got=f"version {version}", expected="version 2 or 3", fix="Bring it to the new one with 'containerd config migrate'" if old else None,
        )  # fmt: skip
    plugin = ["plugins", _CRI[version]]
    settings = []
    if _switches_cdi_on(engine, wishes):
        settings.append({"path": [*plugin, "enable_cdi"], "value": True})
    if _registers(engine, wishes, node):
        runtime = [*plugin, "containerd", "runtimes", "nvidia"]
        settings.append({"path": [*runtime, "runtime_type"], "value": "io.containerd.runc.v2"})
        settings.append({"path": [*runtime, "options", "BinaryName"], "value": RUNTIME_PATH})
    if wishes.default_runtime:
        settings.append({"path": [*plugin, "containerd", "default_runtime_name"], "value": "nvidia"})
    if settings and there is None and wishes.state == "present":
        settings.insert(0, {"path": ["version"], "value": version})
    arguments = (node.info["daemons"].get("containerd") or {}).get("arguments", [])
    path = _argument(arguments, "--config") or _argument(arguments, "-c") or "/etc/containerd/config.toml"
    return _config(path, "toml", settings, ["containerd", "--config", "%s", "config", "dump"])


def _crio(engine, wishes, node):
    runtime = ["crio", "runtime", "runtimes", "nvidia"]
    settings = []
    if _registers(engine, wishes, node):
        settings.append({"path": [*runtime, "runtime_path"], "value": RUNTIME_PATH})
        settings.append({"path": [*runtime, "runtime_type"], "value": "oci"})
    if wishes.default_runtime:
        settings.append({"path": ["crio", "runtime", "default_runtime"], "value": "nvidia"})
    return _config(_CRIO_FILE, "toml", settings, [], own=True)


def _config(path, form, settings, validate, own=False):
    return {"path": path, "format": form, "settings": settings, "validate": validate, "own": own} if settings else None


def _argument(arguments, name):
    """The value of an option on a command line."""
    for at, argument in enumerate(arguments):
        if argument.startswith(name + "="):
            return argument.partition("=")[2]
        if argument == name and at + 1 < len(arguments):
            return arguments[at + 1]
    return None


_CONFIGS = {"podman": _podman, "docker": _docker, "containerd": _containerd, "crio": _crio}
