# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The checks: 'make test' runs all of them, 'make test SESSIONS="lint docs"' some."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import zlib

import nox

sys.path.insert(0, str(pathlib.Path(__file__).parent / "tests" / "harness"))

import ansible_test
import checkout
import images
import machine
import pythons
import servers
import toolkit_packages

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"

FOUND = pythons.find()
NEWEST = pythons.newest_core(FOUND)
UNIT_PAIRS = {f"{pair.core.series}-py{pythons.dotted(pair.version)}": pair for pair in pythons.unit_pairs(FOUND)}

# Every session but the unit tests runs on the newest core.
INTERPRETER = NEWEST.interpreter if NEWEST else None
if NEWEST:
    # nox reuses an environment of the same name even when it is of another Python.
    nox.options.envdir = f".nox/py{pythons.dotted(NEWEST.version)}"
newest = nox.session(python=INTERPRETER)


def require(session: nox.Session, programs: machine.Programs) -> None:
    try:
        machine.require(programs)
    except machine.Missing as missing:
        session.error(str(missing).rstrip("."))


def install(session: nox.Session, *requirements: str, pair: pythons.Pair | None = NEWEST) -> None:
    """Install the pinned requirements files and the core, and keep Ansible inside the checkout."""
    if pair is None:
        session.error("No Python from 3.10 to 3.14 on PATH or under pyenv can run any ansible-core the collection supports")
    session.log(str(pair))
    files = [option for name in requirements for option in ("--requirement", str(checkout.ROOT / name))]
    session.install("--quiet", f"ansible-core=={pair.core.release}", *files)
    session.env.update(
        ANSIBLE_HOME=str(checkout.CACHE / "ansible"),
        ANSIBLE_COLLECTIONS_PATH=checkout.collections_path(),
        # Facts are read from ansible_facts only: newer cores no longer make variables of them.
        ANSIBLE_INJECT_FACT_VARS="false",
        PYTHONDONTWRITEBYTECODE="1",
    )
    if not sys.stdout.isatty():
        session.env["NO_COLOR"] = "1"


def on_cores(pairs: list[tuple[str, pythons.Pair]]):
    """A session for each pair; where there is none, one that says so."""
    return nox.parametrize(
        "python,core",
        [nox.param(pair.interpreter, name, id=name) for name, pair in pairs] or [nox.param(None, None, id="none")],
    )


@nox.session
@on_cores(list(UNIT_PAIRS.items()))
def unit(session: nox.Session, core: str | None) -> None:
    """Unit tests on the oldest supported, the most widespread and the newest ansible-core."""
    for line in pythons.not_run(FOUND):
        session.log(line)
    install(session, "tests/unit/requirements.txt", "tests/harness/requirements/unit.txt", pair=UNIT_PAIRS.get(core))
    # Found by the conftest alone, as for anybody who types 'pytest' in a checkout.
    session.run("python", "-m", "pytest", "--quiet", "--numprocesses=auto", *session.posargs, env={"ANSIBLE_COLLECTIONS_PATH": None})


@newest
def truth(session: nox.Session) -> None:
    """The memory rules against every figure of llama.cpp in tests/truth."""
    session.run("python", "tests/truth/compare.py", env={"PYTHONDONTWRITEBYTECODE": "1"})


@newest
def lint(session: nox.Session) -> None:
    """ruff for Python, ansible-lint's production profile, yamllint."""
    install(session, "tests/harness/requirements/lint.txt")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("ansible-lint", "--offline", "--profile", "production", "--strict")
    session.run("yamllint", "--strict", *[name for name in checkout.files() if name.endswith((".yml", ".yaml"))])


@nox.session
@on_cores(list(UNIT_PAIRS.items())[:1] + list(UNIT_PAIRS.items())[1:][-1:])
def examples(session: nox.Session, core: str | None) -> None:
    """Every example in the documentation on the oldest and the newest ansible-core, with a real server where one is asked."""
    requirements = ("tests/unit/requirements.txt", "tests/harness/requirements/unit.txt", "examples/demo/model-requirements.txt")
    install(session, *requirements, pair=UNIT_PAIRS.get(core))
    # A file's tests share a server, a Hub and the models, so they stay together.
    spread = ("--numprocesses=auto", "--dist=loadfile")
    session.run("python", "-m", "pytest", "--quiet", *spread, *session.posargs, "tests/examples", env={"ANSIBLE_COLLECTIONS_PATH": None})


@newest
def docs(session: nox.Session) -> None:
    """Documentation of every plugin and role, with every reference in it resolved."""
    install(session, "tests/harness/requirements/docs.txt")
    # It writes a log into HOME, which is not the tests' to write to.
    session.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", ".", env={"HOME": str(checkout.CACHE)})


@newest
def changelog(session: nox.Session) -> None:
    """Changelog fragments."""
    install(session, "tests/harness/requirements/changelog.txt")
    session.run("antsibull-changelog", "lint")


@nox.session(python=INTERPRETER, default=False)
def release(session: nox.Session) -> None:
    """Write the changelog of the version in galaxy.yml, from its fragments and the plugins it brings."""
    install(session, "tests/harness/requirements/changelog.txt")
    session.run("antsibull-changelog", "release", "--reload-plugins", "--refresh", "--update-existing")
    (checkout.ROOT / "changelogs" / ".plugin-cache.yaml").unlink(missing_ok=True)


@newest
def package(session: nox.Session) -> None:
    """The archive users install: build, install into an empty folder, ask ansible-doc about everything in it."""
    install(session)
    built = checkout.CACHE / "built"
    shutil.rmtree(built, ignore_errors=True)
    session.env["ANSIBLE_COLLECTIONS_PATH"] = str(built)
    session.run("ansible-galaxy", "collection", "build", "--output-path", str(built))
    (archive,) = built.glob("*.tar.gz")
    session.run("ansible-galaxy", "collection", "install", "--offline", "--collections-path", str(built), str(archive))
    session.run("python", str(checkout.ROOT / "tests/harness/archive.py"), str(built))


@newest
def sanity(session: nox.Session) -> None:
    """ansible-test sanity, with the code for nodes on every Python found here that a node may have."""
    require(session, machine.SHELLCHECK)
    install(session)
    run_ansible_test(session, "sanity", [pythons.dotted(version) for version in pythons.node_versions(FOUND, NEWEST.core)])


@newest
def units(session: nox.Session) -> None:
    """The unit tests as ansible-test runs them, those of the code for nodes on the oldest Python found here too."""
    install(session)
    oldest = pythons.node_versions(FOUND, NEWEST.core)[0]
    run_ansible_test(session, "units", [f"venv/{pythons.dotted(version)}" for version in sorted({oldest, NEWEST.version})])


def run_ansible_test(session: nox.Session, command: str, nodes: list[str]) -> None:
    where = "import ansible_test; print(ansible_test.__path__[0])"
    package = pathlib.Path(session.run("python", "-c", where, silent=True).strip())
    environment = {
        "HOME": str(ansible_test.home(package)),
        "PATH": os.pathsep.join((session.bin, str(ansible_test.interpreters(FOUND)), os.environ["PATH"])),
    }
    hosts = [f"--controller=origin:python=venv/{pythons.dotted(NEWEST.version)}", *[f"--target-python={node}" for node in nodes]]
    with session.chdir(checkout.copied()):
        session.run("ansible-test", command, *hosts, "--color=no", *session.posargs, env=environment)


def tiny_model(session: nox.Session) -> pathlib.Path:
    """The folder with a model for tests, tiny.gguf."""
    models = checkout.CACHE / "models"
    models.mkdir(exist_ok=True)
    session.run("python", "examples/demo/tiny_model.py", str(models / "tiny.gguf"))
    return models


@nox.session(python=INTERPRETER, default=False)
def kube(session: nox.Session) -> None:
    """The Helm chart, helmfile and manifests against a real Kubernetes control plane with a thousand simulated GPU nodes."""
    require(session, {"curl": ("curl",), **machine.PODMAN, **machine.PAUSE})
    try:
        image = images.image("servers_debian13")
        session.env.update(images.engine_settings(image), INFRA_IMAGE=image)
    except machine.Missing as missing:
        session.error(str(missing).rstrip("."))
    install(session, "tests/harness/requirements/kube.txt", "examples/demo/model-requirements.txt")
    session.env["INFRA_MODELS"] = str(tiny_model(session))
    session.run("python", "tests/kube/tools.py")
    session.run("python", "-m", "pytest", "--quiet", *(session.posargs or ["tests/kube"]))


@newest
def molecule(session: nox.Session) -> None:
    """The roles and modules on real systemd machines: Debian 12 and 13 in containers."""
    require(session, machine.PODMAN)
    tags = {name: images.image(name) for name in images.IMAGES}
    try:
        settings = images.engine_settings(tags["debian13"])
        toolkit = toolkit_packages.folder()
    except machine.Missing as missing:
        session.error(str(missing).rstrip("."))
    install(session, "tests/harness/requirements/molecule.txt", "examples/demo/model-requirements.txt")
    models = tiny_model(session)
    served = servers.folder(tags["servers_debian13"], models, settings)
    session.env.update(
        settings,
        # Another checkout on this machine has machines of its own.
        INFRA_MACHINES=f"prositronic-infra-{zlib.crc32(str(checkout.ROOT).encode()):08x}",
        INFRA_WHEELS=str(checkout.wheels()),
        INFRA_MODELS=str(models),
        INFRA_TOOLKIT=str(toolkit),
        INFRA_SERVERS=str(served),
        **{f"INFRA_IMAGE_{name.upper()}": tag for name, tag in tags.items()},
    )
    # What Molecule remembers of a run that was cut short: it would take machines for running that are gone or old.
    shutil.rmtree(checkout.CACHE / "ansible" / "tmp", ignore_errors=True)
    scenarios = [option for name in session.posargs for option in ("--scenario-name", name)]
    session.run("molecule", "test", "--no-command-borders", *(scenarios or ["--all"]))
