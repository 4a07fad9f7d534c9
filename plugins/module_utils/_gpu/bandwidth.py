# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How fast the RAM is, by copying it. Private: not an interface for other collections."""

from __future__ import annotations

import ctypes
import os
import threading
import time

# Together far beyond every cache; one block for each thread.
_BLOCK = 64 << 20
_SECONDS = 0.4
_MOST_THREADS = 32
# A copy reads and writes.
_DIRECTIONS = 2


def measured(available_bytes):
    """Bytes per second that all cores together read and write, None where there is too little memory to find out.

    It is what a copy gets, some tenths below what reading alone would. Something else that runs makes it less.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(cpus, _MOST_THREADS)
    if available_bytes is not None and threads * 2 * _BLOCK > available_bytes // 2:
        return None
    try:
        pairs = [(ctypes.create_string_buffer(_BLOCK), ctypes.create_string_buffer(_BLOCK)) for _thread in range(threads)]
    except MemoryError:
        return None
    copied = [0] * threads
    ready, go = threading.Barrier(threads + 1), threading.Event()
    workers = [threading.Thread(target=_copy, args=(number, pair, copied, ready, go)) for number, pair in enumerate(pairs)]
    for worker in workers:
        worker.start()
    ready.wait()
    started = time.monotonic()
    go.set()
    for worker in workers:
        worker.join()
    return int(_DIRECTIONS * sum(copied) / (time.monotonic() - started))


def _copy(number, pair, copied, ready, go):
    # The first copy gives every page its place, near the processor that this thread runs on.
    ctypes.memmove(pair[1], pair[0], _BLOCK)
    ready.wait()
    go.wait()
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        # ctypes lets the other threads run meanwhile.
        ctypes.memmove(pair[1], pair[0], _BLOCK)
        copied[number] += _BLOCK
