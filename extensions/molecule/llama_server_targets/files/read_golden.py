# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has Podman's generator and Docker Compose read each rendered file in a folder, with the command that the role would use. Usage: read_golden.py FOLDER."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HEAD = re.compile(r"^==> (?:(example) \w+|(/\S+|~/\S+) \(\d{4}\))$")


def parts(text):
    """([(path, content)], the answer beside them)."""
    files, place = [], None
    lines = text.split("\n")
    answer = lines.index("{")
    for line in lines[:answer]:
        head = HEAD.match(line)
        if head:
            place = None if head[1] else [head[2], []]
            if place:
                files.append(place)
        elif place:
            place[1].append(line)
    # The golden file adds one end of line to each.
    return [(path, "\n".join(content[:-1])) for path, content in files], json.loads("\n".join(lines[answer:]))


def read(golden):
    """What its reader says against it, None for nothing."""
    files, answer = parts(golden.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files:
            (pathlib.Path(folder) / os.path.basename(path)).write_text(content, encoding="utf-8")
        main = os.path.join(folder, os.path.basename(files[0][0]))
        environment = {name: value.replace("%s", folder) for name, value in answer["check"]["environment"].items()}
        argv = [word.replace("%s", main) for word in answer["check"]["argv"]]
        done = subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip() or f"exit status {done.returncode}"
    # The generator says what it leaves out, and goes on.
    return next((line for line in done.stderr.splitlines() if "unsupported" in line.lower() or "error" in line.lower()), None)


def main(folder):
    goldens = sorted(path for target in ("quadlet", "compose") for path in pathlib.Path(folder).glob(f"*.{target}.txt"))
    refused = {path.name: problem for path, problem in ((path, read(path)) for path in goldens) if problem}
    for name, problem in refused.items():
        print(f"{name}: {problem}")
    print(f"{len(goldens) - len(refused)} read, {len(refused)} refused")
    return 1 if refused or len(goldens) < 40 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
