# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nodes made of plain files, and transcripts that stand for nvidia-smi."""

from __future__ import annotations

import pathlib

import pytest

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


class Transcript:
    """A recorded nvidia-smi: "$ command", its output, "? code". A command that wasn't recorded fails the test."""

    def __init__(self, text):
        self.calls = []
        self._answers = {}
        command, output = None, []
        for line in text.splitlines():
            if line.startswith("$ "):
                command, output = line[2:], []
            elif line.startswith("? "):
                self._answers[command] = (int(line[2:]), "\n".join(output) + "\n", "")
            else:
                output.append(line)

    def has(self, name):
        return name == "nvidia-smi"

    def start(self, *command):
        pass

    def run(self, *command):
        if command[0] != "nvidia-smi":
            return 127, "", "not installed"
        self.calls.append(" ".join(command))
        return self._answers[" ".join(command)]


class Answers(Transcript):
    """An nvidia-smi that answers with what the function C(answer) makes of its arguments."""

    def __init__(self, answer):
        self._answer = answer

    def run(self, *command):
        return self._answer(*command[1:]) if command[0] == "nvidia-smi" else (127, "", "not installed")


class Nothing(Answers):
    """A node without any program."""

    def __init__(self):
        super().__init__(None)

    def has(self, name):
        return False

    def run(self, *command):
        return 127, "", "not installed"


@pytest.fixture
def nothing():
    return Nothing()


@pytest.fixture
def answering():
    return Answers


@pytest.fixture
def smi():
    """smi(name): the recorded nvidia-smi of fixtures/<name>.txt."""
    return lambda name: Transcript((FIXTURES / (name + ".txt")).read_text())


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
