# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The collection as the tools want to see it: a tree of links, a plain copy, and the collections and files beside it."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "tests" / "harness" / "requirements"

NAME = "prositronic.infra"
INSIDE = pathlib.Path("ansible_collections", *NAME.split("."))
# Collections that tests use, taken from the community package.
DEPENDENCIES = ("containers.podman", "kubernetes.core")


def collections_path() -> str:
    """ANSIBLE_COLLECTIONS_PATH for running the checkout itself."""
    return os.pathsep.join(map(str, (linked(), dependencies())))


def linked() -> pathlib.Path:
    """A collections folder in which a link leads to the checkout."""
    tree = CACHE / "linked"
    link = tree / INSIDE
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.readlink() != ROOT:
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT)
    return tree


def copied() -> pathlib.Path:
    """A fresh copy of every file that git knows or would take, for ansible-test, which resolves links away.

    The copy is a git repository of its own: otherwise ansible-test finds the one around it, which ignores the copy.
    """
    copy = CACHE / "copied" / INSIDE
    shutil.rmtree(copy, ignore_errors=True)
    for name in files():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", copy], check=True)
    return copy


def files() -> list[str]:
    """The files of the checkout that are tracked or neither tracked nor ignored."""
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listing.stdout.split("\0") if name and os.path.lexists(ROOT / name)]


def dependencies() -> pathlib.Path:
    """A collections folder with the collections the tests need."""
    requirement = REQUIREMENTS / "collections.txt"
    stamp = " ".join((*DEPENDENCIES, requirement.read_text(encoding="utf-8")))
    tree = CACHE / "dependencies"
    done = tree / "stamp"
    if done.exists() and done.read_text(encoding="utf-8") == stamp:
        return tree
    shutil.rmtree(tree, ignore_errors=True)
    # Only carried here, never run: its own wish for a Python does not matter.
    download(requirement, tree, "--python-version", "3.12")
    wanted = tuple(f"ansible_collections/{name.replace('.', '/')}/" for name in DEPENDENCIES)
    for wheel in tree.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(tree, [name for name in archive.namelist() if name.startswith(wanted)])
        wheel.unlink()
    done.write_text(stamp, encoding="utf-8")
    return tree


def wheels() -> pathlib.Path:
    """A folder with the wheels that the test machines are given."""
    requirement = REQUIREMENTS / "node.txt"
    folder = CACHE / "wheels"
    done = folder / requirement.name
    if not done.exists() or done.read_bytes() != requirement.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        download(requirement, folder)
        shutil.copyfile(requirement, done)
    return folder


def download(requirement: pathlib.Path, folder: pathlib.Path, *options: str) -> None:
    folder.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--only-binary=:all:", *options]
    subprocess.run([*pip, "--dest", folder, "--requirement", requirement], check=True, stdin=subprocess.DEVNULL)
