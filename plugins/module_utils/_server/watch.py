# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for a server beside what keeps it, and saying why it does not come. Private: not an interface for other collections."""

from __future__ import annotations

import time

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.info import wait_healthy
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.lines import lines
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.problems import problems
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report

LOOK_SECONDS = 2


class NotHealthy(InfraError):
    """The server does not serve. C(log) is its log as the module returns it, None where none is known."""

    def __init__(self, error, log, reason):
        super().__init__(error.what, error.where, error.got, error.expected, reason or error.fix)
        self.log = log


def wait(client, seconds, keeper):
    """Return when the server is healthy; NotHealthy with the reason that its log gives when it is not in time, or its keeper gave it up."""
    try:
        wait_healthy(client, seconds, _Look(keeper, client.url))
    except InfraError as error:
        log = read_log(keeper)
        raise NotHealthy(error, log, _reason(keeper, log)) from None


def read_log(keeper):
    """The log of the current start as the module returns it, None where no log was named."""
    text = keeper.log()
    return None if text is None else report(text)


class _Look:
    """Looks after the keeper, not at every attempt: an engine takes a while to answer."""

    def __init__(self, keeper, where):
        self._keeper = keeper
        self._where = where
        self._next = 0.0

    def __call__(self):
        if time.monotonic() < self._next:
            return
        why = self._keeper.gave_up()
        self._next = time.monotonic() + LOOK_SECONDS
        if why:
            raise InfraError("the server does not run", self._where, why)


def _reason(keeper, log):
    if log is None:
        return None
    if log["failure"]:
        return f"Its log says: {log['failure']}"
    _told, failure = problems(lines(keeper.earlier()))
    if failure:
        return f"Its log says: {failure}"
    if not log["read"]:
        return f"Its log can't be read: {log['why_not']}"
    last = log["warnings"][-1:] or ["nothing that explains it"]
    return f"Its log says: {last[0]}"
