# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading what a program writes, within limits of bytes and time. Private: not an interface for other collections."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from typing import NamedTuple

_BLOCK = 65536
MOST_READ = 64 * 1024 * 1024


class Output(NamedTuple):
    """C(whole): the program ended and nothing was left out. C(rc) is None for one that was stopped."""

    data: bytes
    whole: bool
    rc: int
    problem: str


def first_bytes(command, most, seconds):
    """The first C(most) bytes of what C(command) writes to both its outputs; then it is stopped."""
    return _read(command, seconds, most, None)


def last_bytes(command, most, seconds):
    """The last C(most) bytes."""
    return _read(command, seconds, MOST_READ, most)


def last_line(data):
    """What a program that failed said last, empty where it said nothing."""
    return (data[-2000:].decode("utf-8", "replace").strip().splitlines() or [""])[-1][-200:]


def _read(command, seconds, most_read, most_kept):
    try:
        # AnsibleModule.run_command reads all of it, and has no limit of time.
        # pylint: disable-next=ansible-bad-function
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_environment(), start_new_session=True
        )
    except OSError as error:
        return Output(b"", False, None, f"{command[0]}: {error.strerror or error}")
    blocks, deadline = _Blocks(most_kept), time.monotonic() + seconds
    with process.stdout, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        ended = False
        while not ended and blocks.taken < most_read:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                break
            block = os.read(process.stdout.fileno(), min(_BLOCK, most_read - blocks.taken))
            ended = not block
            blocks.add(block)
        rc = _end(process, max(0.5, deadline - time.monotonic()) if ended else 0)
    problem = None if ended or blocks.taken >= most_read else f"{os.path.basename(command[0])} did not answer within {seconds} s"
    return Output(blocks.data(), ended and not blocks.lost, rc if ended else None, problem)


def _end(process, seconds):
    """The exit status of a process that ends within C(seconds), of one that doesn't None; it is killed."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
    return None


def _environment():
    """In English, and with the bus of the user's own systemd where sudo has taken its address away."""
    environment = dict(os.environ, LC_ALL="C", LANGUAGE="C")
    runtime = f"/run/user/{os.getuid()}"
    if "XDG_RUNTIME_DIR" not in environment and os.path.isdir(runtime):
        environment["XDG_RUNTIME_DIR"] = runtime
    return environment


class _Blocks:
    """All that was read, or its end."""

    def __init__(self, most_kept):
        self._blocks = deque()
        self._most = most_kept
        self._kept = 0
        self.taken = 0
        self.lost = False

    def add(self, block):
        self._blocks.append(block)
        self.taken += len(block)
        self._kept += len(block)
        while self._most is not None and self._kept - len(self._blocks[0]) >= self._most:
            self._kept -= len(self._blocks.popleft())
            self.lost = True

    def data(self):
        data = b"".join(self._blocks)
        return data if self._most is None else data[-self._most :]
