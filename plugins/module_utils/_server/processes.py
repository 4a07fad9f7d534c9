# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes by pid and start time, read from C(/proc). Private: not an interface for other collections."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

POLL_SECONDS = 0.1


def start_time(pid):
    """When a process started, in clock ticks since boot; None when there is no such process (a zombie is none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name, in brackets, may hold blanks and brackets: count from the last bracket.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        return None
    return int(fields[19])


def runs(pid, started):
    """Whether the process that was recorded still runs. Pids are reused, so the start time has to be the same."""
    return isinstance(pid, int) and isinstance(started, int) and start_time(pid) == started


def stop(pid, started, seconds):
    """End a process with SIGTERM, after C(seconds) with SIGKILL, and return when it is gone."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 10)):
        if not runs(pid, started):
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            raise InfraError("this process belongs to another user", f"process {pid}", fix="Run as that user, or with become.") from None
        deadline = time.monotonic() + patience
        while runs(pid, started) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    if runs(pid, started):
        raise InfraError("the process does not end", f"process {pid}", "still running after SIGKILL")
