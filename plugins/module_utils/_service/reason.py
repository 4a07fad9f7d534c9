# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a start failed, from its log."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.lines import lines
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import Text

_LAST = 2
_LONGEST = 300


class NotHealthy(InfraError):
    """A server that did not become healthy. C(log): as llama_server_info returns it."""

    def __init__(self, log, *parts):
        super().__init__(*parts)
        self.log = log


def read(source, text):
    """A log of C(source) as llama_server_info returns it."""
    return report(Text(source, first=text.encode()))


def reason(log, text):
    """One sentence where the log is understood, else its last lines; None for an empty log."""
    if log["failure"] is not None:
        return log["failure"]
    last = [line.text.strip() for line in lines(text.encode()) if line.text.strip()][-_LAST:]
    return "its log ends with: " + " | ".join(text[:_LONGEST] for text in last) if last else None
