# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run nox and end with how many sessions passed and failed."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys

import checkout
import machine

# What a session cannot do without.
NEEDED = {"molecule": machine.PODMAN, "sanity": machine.SHELLCHECK}


def main(arguments: list[str]) -> int:
    """Arguments are nox's. What the machine lacks is told first, not after minutes."""
    sessions = arguments[: arguments.index("--")] if "--" in arguments else arguments
    programs = {}
    for session in sessions or NEEDED:
        programs |= NEEDED.get(session, {})
    try:
        machine.require(programs)
    except machine.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    checkout.CACHE.mkdir(exist_ok=True)
    with open(checkout.CACHE / "lock", "w", encoding="utf-8") as lock:
        # Two runs in one checkout would build and test in the same folders and containers.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run in this checkout to end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return run_nox(["--session", *arguments] if sessions else arguments)


def run_nox(arguments: list[str]) -> int:
    report = checkout.CACHE / "report.json"
    report.unlink(missing_ok=True)
    code = subprocess.run(
        [sys.executable, '-m', 'nox', '--report', report, *arguments],
        cwd=checkout.ROOT, env={**os.environ, 'PYTHONUNBUFFERED': '1'}, stdin=subprocess.DEVNULL, check=False,
    ).returncode  # fmt: skip
    if not report.exists():
        print("nox stopped before it ran a session.", file=sys.stderr)
        return code or 1
    results = [session["result"] for session in json.loads(report.read_text(encoding="utf-8"))["sessions"]]
    passed = results.count("success")
    print(f"{passed} passed, {len(results) - passed} failed", flush=True)
    return 0 if results and passed == len(results) and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
