# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One server, as all three runtimes need to know it: what a plan and the options come to."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._planning.server_args import server_args
from .address import Address, address
from .environment import check_environment
from .flag_table import READ_BUILD
from .flags import check_all
from .gpu_access import GpuAccess, gpu_access
from .image import build_of, check_pinned, check_qualified
from .limits import memory_limit_bytes, start_timeout_seconds
from .options import CONTAINERS, WHERE
from .unit_text import check_printable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)
STOP_SECONDS = 90
"""llama-server ends what it is working on; then hundreds of GiB are unmapped."""

LOG_VERBOSITY = 4
"""The least at which llama-server b11669 tells devices, layers and buffers when it starts, which is what a plan is compared with. Prompts come at 5."""

PARTS = ("model", "memory", "node", "backend", "server", "compute", "llama_cpp", "fits", "context", "placement")


@dataclass(frozen=True)
class Secret:
    """A file that is read by the server and never by the planner. C(flag): the argument that names it. C(source): where it lies on the node, None for
    a Podman secret that exists. C(store): the name of the Podman secret."""

    id: str
    flag: str
    source: str | None
    store: str


@dataclass(frozen=True)
class Instance:
    """C(build): the one the flags are checked against, None where it isn't known. C(user): None for the runtime's own choice."""

    name: str
    plan: dict
    option: dict
    model: str
    alias: str | None
    address: Address
    secrets: tuple[Secret, ...]
    build: int | None
    image: str | None
    access: GpuAccess
    memory_limit_bytes: int
    start_timeout_seconds: int
    locks_memory: bool
    environment: dict
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def unit(self):
        return f"llama-server-{self.name}"

    @property
    def tls(self):
        return any(secret.id == "tls-cert" for secret in self.secrets)

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def url(self):
        """How the node itself reaches the server."""
        return self.address.local_url(self.scheme)

    @property
    def model_directory(self):
        return posixpath.dirname(self.model)

    def args(self, model, host, port, secret_path):
        """llama-server's whole list of arguments. C(secret_path): a Secret -> where the server finds it."""
        option = self.option
        verbosity = LOG_VERBOSITY if option["log_verbosity"] is None else option["log_verbosity"]
        given = {"log_verbosity": verbosity, "model": model, "alias": self.alias, "host": host, "port": port, "ui": option["ui"], "emit": option["emit"]}
        args = server_args(self.plan, given)
        for secret in self.secrets:
            args += [secret.flag, secret_path(secret)]
        if option["metrics"]:
            args.append("--metrics")
        return args + (option["extra_args"] or [])


def instance(plan, target, option):
    """The Instance. Raises InfraError for what can't run, what is not safe, and what the build does not know."""
    check_plan(plan, WHERE)
    name = option["name"] or "default"
    if not NAME.fullmatch(name):
        raise InfraError("not a name for a server", f"{WHERE}.name", shown(name), "up to 63 letters, digits, '_', '.' and '-'")
    host = plan["memory"]["host"]
    image, build, warnings = _what_runs(plan, target, option)
    limit, why_limit = memory_limit_bytes(host, option["memory_limit_bytes"])
    timeout, why_timeout = start_timeout_seconds(plan["model"]["size_bytes"] or 0, option["disk_bytes_per_second"], option["start_timeout_seconds"])
    access = gpu_access(plan, option["cdi_devices"], _paths(option["device_nodes"], "device_nodes"))
    made = Instance(
        name=name,
        plan=plan,
        option=option,
        model=_model(plan, option["model"]),
        alias=option["alias"] or plan["model"].get("name"),
        address=address(option["host"], option["port"] or 8080, f"{WHERE}.host"),
        secrets=_secrets(option, f"llama-server-{name}"),
        build=build,
        image=image,
        access=access,
        memory_limit_bytes=limit,
        start_timeout_seconds=timeout,
        locks_memory="mlock" in plan["compute"]["load_mode"],
        environment={**access.env, **check_environment(option["environment"], access.env, f"{WHERE}.environment")},
        reasons=(*access.reasons, why_limit, why_timeout),
        warnings=(*warnings, *access.warnings),
    )
    check_printable(made.alias or "", f"{WHERE}.alias")
    _check_open(made)
    return _checked_args(made)


def check_plan(plan, where):
    """Raises InfraError for what is no plan, or one that does not fit."""
    if not isinstance(plan, dict) or any(part not in plan for part in PARTS):
        raise InfraError("not a plan", where, shown(plan), "what the filter prositronic.infra.llama_plan returns")
    for part in ("model", "memory", "node", "server", "compute", "llama_cpp"):
        if not isinstance(plan[part], dict):
            raise InfraError(f"not a plan: '{part}' is no dictionary", where, shown(plan[part]), "what the filter prositronic.infra.llama_plan returns")
    if not plan["fits"]:
        raise InfraError("the plan does not fit on its node, so its server would not start", where, fix="Its reasons say what is missing")


def _what_runs(plan, target, option):
    """(image, build, warnings)."""
    if target in CONTAINERS:
        return chosen_image(plan, option, WHERE)
    build = option["build"]
    return None, build, () if build else (unknown_build("the binary"),)


def chosen_image(plan, option, where):
    """(image, build, warnings) by the plan, or by C(image) and C(build) among the options."""
    image = option["image"] or plan["image"]
    if image is None:
        raise InfraError("there is no image for this plan", f"{where}.image", fix="Name one, or take the target systemd; the plan's warnings say why")
    check_printable(image, f"{where}.image")
    warning = check_pinned(image, f"{where}.image")
    check_qualified(image, f"{where}.image")
    build = option["build"] or build_of(image) or (None if option["image"] else plan["llama_cpp"]["image_build"])
    return image, build, tuple(one for one in (warning, None if build else unknown_build(f"the image {image}")) if one)


def unknown_build(what):
    return f"The build of {what} is not known, so its flags are checked against b{READ_BUILD} and its holes are not. Say it with build."


def _model(plan, given):
    path = given or ((plan["model"].get("files") or [{}])[0].get("path"))
    if not path:
        raise InfraError("the plan's model is not a file on a machine", WHERE, fix="Say where it lies on the node with model=")
    return checked_path(path, "model", deep=True)


def checked_path(path, name, deep=False):
    """A full path in its shortest form. C(deep): not right below the root, as its directory is given to the container."""
    check_printable(path, f"{WHERE}.{name}")
    if not path.startswith("/") or path.endswith("/") or ".." in path.split("/"):
        raise InfraError("not the full path of a file", f"{WHERE}.{name}", shown(path), "such as /srv/models/model.gguf")
    path = "/" + posixpath.normpath(path).lstrip("/")
    if deep and path.count("/") < 2:
        raise InfraError("a model right below / would show the server the whole machine", f"{WHERE}.{name}", shown(path), "a directory for models")
    return path


def _paths(paths, name):
    return None if paths is None else [checked_path(path, f"{name}[{index}]") for index, path in enumerate(paths)]


def _secrets(option, unit):
    found = []
    if option["api_key_file"] is not None and option["api_key_secret"] is not None:
        raise InfraError("api_key_file and api_key_secret exclude each other", WHERE, fix="Leave one of them out")
    if option["api_key_secret"] is not None:
        if not NAME.fullmatch(option["api_key_secret"]):
            raise InfraError("not the name of a Podman secret", f"{WHERE}.api_key_secret", shown(option["api_key_secret"]))
        found.append(Secret("api-keys", "--api-key-file", None, option["api_key_secret"]))
    if option["api_key_file"] is not None:
        found.append(Secret("api-keys", "--api-key-file", checked_path(option["api_key_file"], "api_key_file"), f"{unit}-api-keys"))
    if (option["tls_cert_file"] is None) != (option["tls_key_file"] is None):
        raise InfraError("tls_cert_file and tls_key_file belong together", WHERE, fix="Give both, or none")
    if option["tls_cert_file"] is not None:
        found.append(Secret("tls-cert", "--ssl-cert-file", checked_path(option["tls_cert_file"], "tls_cert_file"), f"{unit}-tls-cert"))
        found.append(Secret("tls-key", "--ssl-key-file", checked_path(option["tls_key_file"], "tls_key_file"), f"{unit}-tls-key"))
    return tuple(found)


def _check_open(made):
    """Whoever reaches the server must have a key."""
    if made.address.loopback:
        return
    if not any(secret.id == "api-keys" for secret in made.secrets):
        raise InfraError(
            "other machines reach this address, and there is no API key", f"{WHERE}.host", made.address.ip, "127.0.0.1 or ::1, or a key",
            "Give api_key_file, or leave host out and put a reverse proxy before it",
        )  # fmt: skip


def _checked_args(made):
    """C(made) with what its arguments give cause to say."""
    extra = made.option["extra_args"] or []
    for argument in extra:
        check_printable(argument, f"{WHERE}.extra_args")
    bare = replace(made, option={**made.option, "extra_args": None}).args(made.model, made.address.ip, made.address.port, lambda secret: secret.id)
    told = check_all(bare, extra, made.build, made.option["allow_tools"], WHERE)
    warnings = [*made.warnings, *told]
    if made.plan["model"].get("header_only"):
        warnings.append("The plan was made from a header without weights, which can't be served; the model has to lie on the node.")
    if not made.address.loopback and not made.tls:
        warnings.append(f"{made.address.ip} is served without TLS: keys and prompts can be read on the way. Give tls_cert_file and tls_key_file.")
    return replace(made, warnings=tuple(warnings))
