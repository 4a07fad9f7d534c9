# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of a download, in a file that people and later runs can read."""

from __future__ import annotations

import os
import platform
import time

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import read_json, write_json

_EVERY_SECONDS = 1.0
_MOST_NOTES = 50


class Progress:
    """C(job) names one download. The file is written at most once a second."""

    def __init__(self, path, job, request):
        self._path = path
        self._written = 0.0
        self._since = time.monotonic()
        self._fetched = 0
        self.state = {
            "job": job,
            "request": request,
            "status": "running",
            "progress": "starting",
            "files": 0,
            "file": 0,
            "name": None,
            "received_bytes": 0,
            "total_bytes": 0,
            "bytes_per_second": 0,
            "pid": os.getpid(),
            "host": platform.node(),
            "started": _now(),
            "notes": [],
        }

    def begin(self, total_bytes, files):
        """C(total_bytes): what has to come in all."""
        self.state.update(total_bytes=total_bytes, files=files)
        self._since = time.monotonic()
        self.write()

    def file(self, number, path, doing):
        self.state.update(file=number, name=os.path.basename(path), doing=doing)
        self.write()

    def received(self, count):
        if count < 0:
            self.again(-count)
            return
        self._fetched += count
        self.state["received_bytes"] = self._fetched
        self._seldom()

    def again(self, count):
        """So many bytes more have to come."""
        self.state["total_bytes"] += count

    def checked(self, _count):
        self._seldom()

    def note(self, text):
        self.state["notes"] = [*self.state["notes"], text][-_MOST_NOTES:]
        self.write()

    def end(self, status, **result):
        self.state.update(status=status, **result)
        self.write()

    def _seldom(self):
        if time.monotonic() - self._written >= _EVERY_SECONDS:
            self.write()

    def write(self):
        elapsed = time.monotonic() - self._since
        self.state["bytes_per_second"] = int(self._fetched / elapsed) if elapsed > 0.5 else 0
        self.state["progress"] = text_of(self.state)
        self.state["updated"] = _now()
        self._written = time.monotonic()
        write_json(self._path, self.state)


def read_state(path):
    return read_json(path)


def text_of(state):
    """C(downloading model-00002-of-00009.gguf (2 of 9): 12.5 of 400.0 GiB (3 %), 240 MiB/s, 27 min left)."""
    total, received, speed = state["total_bytes"], state["received_bytes"], state["bytes_per_second"]
    if state["status"] != "running":
        return state["status"]
    if state["name"] is None:
        return "looking at the files"
    text = f"{state.get('doing')} {state['name']} ({state['file']} of {state['files']})"
    if total:
        unit, size = ("GiB", 1 << 30) if total >= 1 << 30 else ("MiB", 1 << 20)
        text += f": {received / size:.1f} of {total / size:.1f} {unit} ({100 * received // total} %)"
        if speed:
            text += f", {speed / (1 << 20):.1f} MiB/s, {_duration((total - received) / speed)} left"
    return text


def _duration(seconds):
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
