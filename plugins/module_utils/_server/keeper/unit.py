# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server in a unit of systemd, its log in the journal. Private: not an interface for other collections."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._server.bounded import first_bytes, last_bytes, last_line
from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.tree import descendants, of_control_group
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import MOST_BYTES, Text

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "InvocationID", "MainPID", "ControlGroup", "NRestarts", "ExecMainStatus")
_LAST_LINES = 2000
_LAST_OF_THE_UNIT = 300
MOST_RESTARTS = 2
"""A server that ended twice while it was waited for will end again."""


class Unit:
    """C(name) of the C(scope) system or user."""

    def __init__(self, name, scope, find, seconds):
        self._name = name if re.search(r"\.(service|scope)$", name) else f"{name}.service"
        self._scope = [] if scope == "system" else ["--user"]
        self._systemctl, self._journalctl = find("systemctl"), find("journalctl")
        self._seconds = seconds
        self._restarts = None

    def _properties(self):
        """What systemctl show says, empty where it can't be asked."""
        if self._systemctl is None:
            return {}
        answer = first_bytes([self._systemctl, *self._scope, "show", f"--property={','.join(_PROPERTIES)}", "--", self._name], MOST_BYTES, self._seconds)
        text = answer.data.decode("utf-8", "replace")
        return {} if answer.rc else dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def log(self):
        source = f"journal of {self._name}"
        if self._journalctl is None:
            return Text(source, problem="journalctl is not installed")
        told = self._properties()
        if not told:
            return Text(source, problem="systemctl can't be asked")
        if told.get("LoadState") == "not-found":
            return Text(source, problem="there is no such unit")
        # What the unit wrote, and what systemd said about it; the second is named otherwise for units of users.
        this_start = told.get("InvocationID", "")
        if not re.fullmatch(r"[0-9a-f]{32}", this_start):
            return Text(source, problem="the unit has not been started")
        matches = [f"_SYSTEMD_INVOCATION_ID={this_start}", "+", f"INVOCATION_ID={this_start}", "+", f"USER_INVOCATION_ID={this_start}"]
        text = self._read(source, matches)
        if text.problem is None and not text.first:
            return Text(source, problem="the journal has nothing of this start that this user may read")
        return text

    def _read(self, source, matches):
        command = [self._journalctl, *self._scope, "--quiet", "--no-pager", "--output=cat"]
        first = first_bytes([*command, *matches], MOST_BYTES, self._seconds)
        if first.problem and not first.data:
            return Text(source, problem=first.problem)
        if first.rc:
            return Text(source, problem=last_line(first.data) or "journalctl failed")
        last = b"" if first.whole else last_bytes([*command, f"--lines={_LAST_LINES}", *matches], MOST_BYTES, self._seconds).data
        return Text(source, first.data, last, whole=first.whole)

    def earlier(self):
        """The end of the unit's log whatever start it is of: systemd may have started it again before anybody looked."""
        if self._journalctl is None:
            return b""
        option = "--user-unit" if self._scope else "--unit"
        command = [self._journalctl, *self._scope, "--quiet", "--no-pager", "--output=cat", f"--lines={_LAST_OF_THE_UNIT}", f"{option}={self._name}"]
        return last_bytes(command, MOST_BYTES, self._seconds).data

    def gave_up(self):
        told = self._properties()
        state, restarts = told.get("ActiveState"), told.get("NRestarts", "")
        if state == "failed":
            return f"{self._name} failed: {told.get('Result')}, exit status {told.get('ExecMainStatus')}"
        if state == "inactive" and told.get("SubState") == "dead":
            return f"{self._name} does not run"
        if restarts.isdecimal():
            self._restarts = int(restarts) if self._restarts is None else self._restarts
            if int(restarts) - self._restarts >= MOST_RESTARTS:
                return f"{self._name} ends again and again: systemd started it {int(restarts) - self._restarts} times while it was waited for"
        return None

    def processes(self):
        told = self._properties()
        main = int(told["MainPID"]) if told.get("MainPID", "").isdecimal() else 0
        group = of_control_group(told["ControlGroup"]) if told.get("ControlGroup") else []
        found = group or (descendants(main) if main else [])
        return [main, *(pid for pid in found if pid != main)] if main else found
