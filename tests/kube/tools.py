# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The programs of a Kubernetes control plane, built from Go modules and kept for every checkout of this user.

Each folder of tools/ is a Go module that pins one program, or several of one project, with everything they are built from. Programs are kept outside the
checkout, under a name that tells what they were built from: a fresh clone on the same machine builds nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

MODULES = pathlib.Path(__file__).with_name("tools")


class Missing(Exception):
    """Why a program cannot be had, and what to do about it."""


@dataclass(frozen=True)
class Tool:
    """C(project) is the module whose version the program has, and C(variables) are those that tell the program its version.

    In them {version} is v1.2.3, and {major} and {minor} are those of the Kubernetes that the program is made for.
    """

    name: str
    module: str
    project: str
    package: str
    variables: tuple[str, ...] = ()
    # Folders of the project that the program is used with.
    folders: tuple[str, ...] = ()

    @property
    def folder(self) -> pathlib.Path:
        return MODULES / self.module

    @property
    def version(self) -> str:
        return self.required(self.project)

    def required(self, module: str) -> str:
        """The version of a module that go.mod asks for."""
        found = re.search(rf"^\s+{re.escape(module)} (v\S+)", self._go_mod, re.MULTILINE)
        if not found:
            raise Missing(f"{self.folder / 'go.mod'} does not require {module}.")
        return found[1]

    @property
    def go(self) -> tuple[int, ...]:
        """The oldest Go that builds it."""
        return numbers(re.search(r"^go (\S+)", self._go_mod, re.MULTILINE)[1])

    @property
    def build(self) -> list[str]:
        """What go is asked, without the place of the program."""
        kubernetes = self.required("k8s.io/client-go") if "{minor}" in "".join(self.variables) else "v0.0.0"
        known = {"version": self.version, "major": "1", "minor": kubernetes.split(".")[1]}
        flags = ["-s", "-w", *(f"-X={variable.format(**known)}" for variable in self.variables)]
        return ["go", "build", "-mod=readonly", "-trimpath", f"-ldflags={' '.join(flags)}", self.package]

    @property
    def place(self) -> pathlib.Path:
        """The folder it is kept in."""
        made_of = hashlib.sha256("\0".join((platform.machine(), *self.build, *self.folders)).encode())
        for name in ("go.mod", "go.sum"):
            made_of.update((self.folder / name).read_bytes())
        return kept() / f"{self.name}-{self.version}-{made_of.hexdigest()[:16]}"

    @property
    def program(self) -> pathlib.Path:
        return self.place / self.name

    @property
    def _go_mod(self) -> str:
        return (self.folder / "go.mod").read_text(encoding="utf-8")


_KUBERNETES = tuple(
    f"{package}.{name}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for name in ("gitVersion={version}", "gitMajor={major}", "gitMinor={minor}", "gitTreeState=clean")
)
_HELM = "helm.sh/helm/v3"
TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "helm", "helm", _HELM, f"{_HELM}/cmd/helm",
            (
                f"{_HELM}/internal/version.version={{version}}",
                f"{_HELM}/internal/version.metadata=",
                *(f"{_HELM}/{package}.k8sVersion{part}" for package in ("pkg/lint/rules", "pkg/chartutil") for part in ("Major={major}", "Minor={minor}")),
            ),
        ),
        Tool("helmfile", "helmfile", "github.com/helmfile/helmfile", "github.com/helmfile/helmfile", ("go.szostok.io/version.version={version}",)),
        Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        *(
            Tool(name, "kubernetes", "k8s.io/kubernetes", f"k8s.io/kubernetes/cmd/{name}", _KUBERNETES)
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        ),
        Tool(
            "kwok", "kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok",
            ("sigs.k8s.io/kwok/pkg/consts.Version={version}",),
            ("kustomize/stage",),
        ),
    )
}  # fmt: skip


def kept() -> pathlib.Path:
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return cache / "prositronic-infra" / "kube"


def programs(*names: str) -> dict[str, pathlib.Path]:
    """The programs by name, all where none is named; those that are not kept yet are built. Raises Missing."""
    wanted = [TOOLS[name] for name in names or TOOLS]
    if not all(tool.program.exists() for tool in wanted):
        with building():
            for tool in wanted:
                if not tool.program.exists():
                    make(tool)
    return {tool.name: tool.program for tool in wanted}


@contextlib.contextmanager
def building():
    """Another checkout that builds the same is waited for."""
    kept().mkdir(parents=True, exist_ok=True)
    with open(kept() / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(tool: Tool) -> None:
    """Build it beside its place, and move it there when it is whole."""
    require_go(tool)
    print(f"Building {tool.name} {tool.version}: minutes, once for this user and machine.", flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=kept(), prefix=f".{tool.name}-") as beside:
        made = pathlib.Path(beside, "made")
        made.mkdir()
        *command, package = tool.build
        go(tool, [*command, "-o", str(made / tool.name), package])
        if tool.folders:
            source = pathlib.Path(go(tool, ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", tool.project]).strip())
            for folder in tool.folders:
                shutil.copytree(source / folder, made / folder, copy_function=shutil.copyfile)
                # Go keeps its modules read-only.
                for place in (made / folder, *(made / folder).rglob("*")):
                    place.chmod(0o755 if place.is_dir() else 0o644)
        shutil.rmtree(tool.place, ignore_errors=True)
        made.rename(tool.place)
    print(f"Built {tool.name} {tool.version} in {time.monotonic() - start:.0f} s.", flush=True)


def require_go(tool: Tool) -> None:
    wanted = ".".join(map(str, tool.go))
    fix = f"Install Go {wanted} or newer, or put it in front on PATH, then run this again."
    if not shutil.which("go"):
        raise Missing(f"{tool.name} {tool.version} is built from its Go module, and there is no Go here. {fix}")
    # Go itself refuses, where it is too old and not allowed to bring a newer one.
    found = go(tool, ["go", "env", "GOVERSION"], fix).strip()
    if numbers(found.removeprefix("go")) < tool.go:
        raise Missing(f"{tool.name} {tool.version} needs Go {wanted}, and {shutil.which('go')} is {found}. {fix}")


FIX = "Where a module could not be fetched, name a proxy that has it in GOPROXY, or try again later; where the disk is full, try 'go clean -cache'."


def go(tool: Tool, command: list[str], fix: str = FIX) -> str:
    """What go answers. Its settings are those of the environment: the proxy too."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    done = subprocess.run(command, cwd=tool.folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-12:])
        raise Missing(f"{tool.name} {tool.version} cannot be built: 'go {command[1]}' in {tool.folder} ended with {done.returncode}:\n{said}\n{fix}")
    return done.stdout


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.match(r"\d+(?:\.\d+)*", version)[0].split(".")))


if __name__ == "__main__":
    try:
        for name, program in programs(*sys.argv[1:]).items():
            print(f"{name}: {program}")
    except Missing as missing:
        sys.exit(str(missing))
