# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a piece of work costs: processor time, and the memory it uses beyond what was in use before."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import sys
import time
import warnings

SECONDS = 1.0
MIB = 1 << 20
MEMORY_BYTES = 64 * MIB


def peak_bytes(reset=False):
    """The most memory used so far, or since the last reset where the system has one (Linux)."""
    if reset:
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def limit_memory():
    """From here on twice the memory that is allowed is not to be had, so that the machine is safe from what is found (Linux)."""
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return
    limit = pages * resource.getpagesize() + 2 * MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def apart(work):
    """(what C(work) returned as text, processor seconds, bytes), measured in a process of its own. An exception is its result too."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # A web server of the test's may run beside: the child doesn't touch it.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _measure(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return tuple(json.loads(text))


def within(work, seconds=SECONDS):
    """What C(work) returned as text, or its exception, after no more time and memory than hostile input may cost."""
    return _checked(*apart(work), limit_seconds=seconds)


def within_here(work):
    """The same without a process of its own: cheaper, and an exception is raised."""
    before, started = peak_bytes(reset=True), time.process_time()
    outcome = work()
    return _checked(outcome, time.process_time() - started, peak_bytes() - before)


def _checked(outcome, seconds, grown_bytes, limit_seconds=SECONDS):
    assert seconds < limit_seconds, f"{seconds:.1f} s: {outcome}"
    assert grown_bytes < MEMORY_BYTES, f"{grown_bytes / MIB:.0f} MiB: {outcome}"
    return outcome


def _measure(work, writing):
    """Ends the process, whatever happens: nothing of the parent's may run twice."""
    try:
        limit_memory()
        before, started = peak_bytes(reset=True), time.process_time()
        try:
            result = str(work())
        except BaseException as error:  # its name and text are the answer
            result = f"{type(error).__name__}: {error}"
        cost = result[:2000], time.process_time() - started, peak_bytes() - before
        os.write(writing, json.dumps(cost).encode())
    finally:
        os._exit(0)
