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

    def find(self, name):
        return "/usr/bin/" + name if name == "nvidia-smi" else None

    def run(self, argv):
        assert argv[0] == "/usr/bin/nvidia-smi"
        command = " ".join(["nvidia-smi"] + argv[1:])
        self.calls.append(command)
        return self._answers[command]


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
        vendor, device = ids.split(":")
        path = f"/sys/bus/pci/devices/{bus_id}/"
        files = {path + "class": kind + "\n", path + "vendor": f"0x{vendor}\n", path + "device": f"0x{device}\n"}
        if driver:
            files[path + "driver"] = "-> ../../../../bus/pci/drivers/" + driver
        files.update((path + name, text) for name, text in more.items())
        return files

    return make
