# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server in a container of Podman or Docker. Private: not an interface for other collections."""

from __future__ import annotations

import json
import re

from ansible_collections.prositronic.infra.plugins.module_utils._server.bounded import first_bytes, last_bytes, last_line
from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.tree import descendants
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import MOST_BYTES, Text

_LAST_LINES = 2000
_ENDED = ("exited", "dead", "stopped")
MOST_RESTARTS = 2


class Container:
    """C(name) of the C(engine) podman or docker."""

    def __init__(self, name, engine, find, seconds):
        self._name = name
        self._engine = engine
        self._program = find(engine)
        self._seconds = seconds
        self._restarts = None

    def _inspected(self):
        """(what the engine says about the container, None) or (None, why not)."""
        if self._program is None:
            return None, f"{self._engine} is not installed"
        answer = first_bytes([self._program, "container", "inspect", "--", self._name], MOST_BYTES, self._seconds)
        if answer.problem:
            return None, answer.problem
        try:
            told = json.loads(answer.data)[0] if not answer.rc else None
        except (ValueError, LookupError, TypeError, RecursionError):
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("State"), dict):
            return None, last_line(answer.data) or f"{self._engine} does not know the container"
        return told, None

    def log(self):
        source = f"{self._engine} container {self._name}"
        told, problem = self._inspected()
        if told is None:
            return Text(source, problem=problem)
        since = told["State"].get("StartedAt")
        if not isinstance(since, str) or not re.fullmatch(r"[0-9T:.+Z-]{10,40}", since):
            since = None
        options = ["--since", since] if since and not since.startswith("0001-") else []
        first = first_bytes([self._program, "logs", *options, "--", self._name], MOST_BYTES, self._seconds)
        if first.problem and not first.data:
            return Text(source, problem=first.problem)
        if first.rc:
            return Text(source, problem=last_line(first.data) or f"{self._engine} logs failed")
        tail = [self._program, "logs", *options, "--tail", str(_LAST_LINES), "--", self._name]
        last = b"" if first.whole else last_bytes(tail, MOST_BYTES, self._seconds).data
        return Text(source, first.data, last, whole=first.whole)

    def earlier(self):
        return b""

    def gave_up(self):
        told, problem = self._inspected()
        if told is None:
            return f"container {self._name}: {problem}"
        state, restarts = told["State"], told.get("RestartCount")
        if state.get("Status") in _ENDED:
            why = "the RAM, or its limit, did not suffice" if state.get("OOMKilled") else state.get("Error") or "no reason given"
            return f"container {self._name} has ended: exit status {state.get('ExitCode')}, {why}"
        if isinstance(restarts, int):
            self._restarts = restarts if self._restarts is None else self._restarts
            if restarts - self._restarts >= MOST_RESTARTS:
                return f"container {self._name} ends again and again: it was started {restarts - self._restarts} times while it was waited for"
        return None

    def processes(self):
        told, _problem = self._inspected()
        pid = told["State"].get("Pid") if told else None
        return descendants(pid) if isinstance(pid, int) and pid > 0 else []
