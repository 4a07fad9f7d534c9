# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The programs of a fixture: what they printed, told again.

A file commands/<program>.txt holds "$ command", its output and "? code" for each command; "? hang" is a command that never ends.
What nvidia-smi answers to --query-gpu is held as a table with " | " between its columns, since a reader may ask for any of them in
any order: a column that isn't there is one that this driver doesn't know.

What NVIDIA's library answers is in commands/nvml.json, as nvml_library.py gives it.

As a program of its own (recorded.py PROGRAM ARGUMENTS) it does the same for the fixture whose directory is in FIXTURE.
It stands alone then, in a container, so it imports nothing of the collection.
"""

from __future__ import annotations

import os
import pathlib
import sys
import time

COLON = "+"
"""Stands for a colon in the names of a fixture's files: not every system can have one."""

HANGS = "hang"
QUERY = "--query-gpu="


def unpacked(case, root):
    """Make the files of a fixture below C(root), with the names that they have on a node."""
    tree = pathlib.Path(case, "tree")
    for path in sorted(tree.rglob("*")):
        target = pathlib.Path(root, str(path.relative_to(tree)).replace(COLON, ":"))
        if path.is_symlink():
            target.symlink_to(os.readlink(path))
        elif path.is_dir():
            target.mkdir()
        else:
            target.write_bytes(path.read_bytes())
    return str(root)


def made_to_run(case, directory):
    """Make a program in C(directory) for each of a fixture's; FIXTURE in the environment says which fixture's they are."""
    for file in pathlib.Path(case, "commands").glob("*.txt"):
        program = pathlib.Path(directory, file.stem)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {pathlib.Path(__file__).resolve()} {file.stem} "$@"\n')
        program.chmod(0o755)


class Recorded:
    """Stands for Programs; C(calls) collects what was asked for."""

    def __init__(self, folder):
        self.calls = []
        self._answers = {}
        self._folder = pathlib.Path(folder)
        for file in sorted(pathlib.Path(folder, "commands").glob("*.txt")):
            self._answers[file.stem] = _answers(file.read_text())

    def has(self, name):
        return name in self._answers

    def start(self, *command):
        pass

    def stop(self):
        pass

    def run(self, name, *arguments):
        if name not in self._answers:
            return 127, "", f"{name} is not installed"
        self.calls.append(" ".join([name, *arguments]))
        rc, out = self.answer(name, *arguments)
        return (124, "", "no answer within 10 s") if rc == HANGS else (rc, out, "")

    def call(self, function, *arguments):
        answer = self._folder / "commands" / "nvml.json"
        return (0, answer.read_text(), "") if answer.exists() else (124, "", "no answer within 10 s")

    def answer(self, name, *arguments):
        """(code, output) of a command, which has to be in the fixture."""
        answers = self._answers[name]
        fields = [argument[len(QUERY) :].split(",") for argument in arguments if argument.startswith(QUERY)]
        if fields:
            rc, out = answers[f"{name} {QUERY[:-1]}"]
            return (rc, out) if rc == HANGS else _queried(rc, out, fields[0])
        return answers[" ".join([name, *arguments])]


def _answers(text):
    """command -> (code, output)"""
    answers, command, output = {}, None, []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            command, output = line[2:].strip(), []
        elif line.startswith("? "):
            code = line[2:].strip()
            answers[command] = (code if code == HANGS else int(code), "".join(output))
        else:
            output.append(line)
    return answers


def _queried(rc, out, fields):
    """The columns that were asked for, and the messages between the rows as they are."""
    columns, printed = None, []
    for line in out.splitlines():
        values = line.split(" | ")
        if len(values) == 1:
            printed.append(line)
        elif columns is None:
            columns = values
            for field in fields:
                if field not in columns:
                    return 2, f'Field "{field}" is not a valid field to query.\n\n'
        else:
            row = dict(zip(columns, values))
            printed.append(", ".join(row[field] for field in fields))
    return rc, "".join(line + "\n" for line in printed)


def main():
    rc, out = Recorded(os.environ["FIXTURE"]).answer(*sys.argv[1:])
    sys.stdout.write(out)
    sys.stdout.flush()
    while rc == HANGS:
        time.sleep(3600)
    sys.exit(rc)


if __name__ == "__main__":
    main()
