# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes made of plain files, and what stands for their programs."""

from __future__ import annotations

import pathlib

import pytest

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


class Answers:
    """A node whose one program is C(name), which answers with what the function C(answer) makes of its arguments."""

    def __init__(self, answer, name="nvidia-smi"):
        self._answer = answer
        self._name = name

    def has(self, name):
        return name == self._name

    def start(self, *command):
        pass

    def stop(self):
        pass

    def run(self, *command):
        return self._answer(*command[1:]) if self.has(command[0]) else (127, "", "not installed")


@pytest.fixture
def answering():
    return Answers


@pytest.fixture
def nothing():
    """A node without any program."""
    return Answers(None, name=None)


@pytest.fixture
def recorded():
    """recorded(case): the programs of a fixture."""
    # Not at the top: the collection can't be imported yet when pytest reads this file.
    from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gpu.recorded import Recorded

    return lambda case: Recorded(FIXTURES / case)


@pytest.fixture
def node(tmp_path):
    """node(files): a root directory with these files; "-> x" makes a symbolic link to x."""

    def make(files=None):
        for path, text in (files or {}).items():
            file = tmp_path / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith("-> "):
                file.symlink_to(text[3:])
            else:
                file.write_text(text)
        return str(tmp_path)

    return make


@pytest.fixture
def card():
    """card(bus_id, ids, driver): the files of one card in sysfs."""

    def make(bus_id, ids, driver=None, kind="0x030000", **more):
        path = f"/sys/bus/pci/devices/{bus_id}/"
        lines = ([f"DRIVER={driver}"] if driver else []) + [f"PCI_CLASS={kind[2:].lstrip('0')}", f"PCI_ID={ids.upper()}", f"PCI_SLOT_NAME={bus_id}"]
        files = {path + "uevent": "\n".join(lines) + "\n"}
        files.update((path + name, text) for name, text in more.items())
        return files

    return make
