# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server of which only a log file and perhaps its pid are known. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.tree import descendants
from ansible_collections.prositronic.infra.plugins.module_utils._server.log import file
from ansible_collections.prositronic.infra.plugins.module_utils._server.processes import start_time


class Alone:
    """Nobody starts it again that is known here."""

    def __init__(self, log_file, pid):
        self._log_file = log_file
        self._pid = pid

    def log(self):
        return None if self._log_file is None else file.read(self._log_file)

    def earlier(self):
        return b""

    def gave_up(self):
        if self._pid is not None and start_time(self._pid) is None:
            return f"process {self._pid} has ended"
        return None

    def processes(self):
        return [] if self._pid is None else descendants(self._pid)
