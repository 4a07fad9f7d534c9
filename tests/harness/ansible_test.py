# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A private home for ansible-test: it keeps downloads and environments under HOME and hides pip's variables from pip."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys

import checkout
import pythons

STAND_IN = pathlib.Path(__file__).with_name("get_pip.py")


def home(package: pathlib.Path) -> pathlib.Path:
    """Make the home for the ansible-test whose package (the folder ansible_test) is given."""
    folder = checkout.CACHE / "home"
    downloads = folder / ".ansible" / "test" / "cache"
    downloads.mkdir(parents=True, exist_ok=True)
    # The script ansible-test would download, under the name it looks for first; the name carries the pip version it pins.
    source = (package / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
    for version in re.findall(r"pip='([\d.]+)'", source):
        shutil.copyfile(STAND_IN, downloads / f"get_pip_{version.replace('.', '_')}.py")
    settings = folder / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(_pip_settings(), encoding="utf-8")
    return folder


def interpreters(found: dict[pythons.Version, str]) -> pathlib.Path:
    """A folder to put on PATH: ansible-test takes the first python3.N there, which may be a shim with nothing behind it."""
    folder = checkout.CACHE / "pythons"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for version, interpreter in found.items():
        (folder / f"python{pythons.dotted(version)}").symlink_to(interpreter)
    return folder


def _pip_settings() -> str:
    """This machine's pip settings, wherever they come from, as a pip.conf."""
    listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    settings = dict(re.findall(r"^(?:global|:env:)\.([\w-]+)='(.*)'$", listing, flags=re.MULTILINE))
    return "\n".join(["[global]", *(f"{name} = {value}" for name, value in settings.items())]) + "\n"
