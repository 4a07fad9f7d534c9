# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stand-ins for systemctl, journalctl, podman and docker: they note how they are called and answer what a test says."""

from __future__ import annotations

import json
import stat
import sys

SCRIPT = """#!{python}
import json, sys
here = {here!r}
with open(here + "/calls", "a") as calls:
    calls.write(json.dumps([{name!r}, *sys.argv[1:]]) + "\\n")
with open(here + "/answers.json") as stream:
    answers = json.load(stream)
for words, rc, text in answers:
    if all(word in [{name!r}, *sys.argv[1:]] for word in words):
        sys.stdout.write(text)
        sys.exit(rc)
sys.exit(9)
"""


class Programs:
    """C(answer(words, text, rc)): what a call with these words answers, the first that fits."""

    def __init__(self, directory):
        self._directory = directory
        self._answers = []
        (directory / "calls").touch()
        for name in ("systemctl", "journalctl", "podman", "docker"):
            program = directory / name
            program.write_text(SCRIPT.format(python=sys.executable, here=str(directory), name=name))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._save()

    def answer(self, words, text, rc=0):
        self._answers = [row for row in self._answers if row[0] != words]
        self._answers.append([words, rc, text])
        self._save()

    def _save(self):
        (self._directory / "answers.json").write_text(json.dumps(self._answers))

    def find(self, name):
        program = self._directory / name
        return str(program) if program.exists() else None

    def remove(self, name):
        (self._directory / name).unlink()

    def calls(self):
        return [json.loads(line) for line in (self._directory / "calls").read_text().splitlines()]
