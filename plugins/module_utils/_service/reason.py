# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a start failed, from its log."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.lines import lines
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import Text

_LAST = 2
_LONGEST = 300
# What systemd, Podman's events and conmon say of every container that ends.
_OF_KEEPERS = re.compile(
    r"\S+\.service: |(?:Failed to start|Starting|Started|Stopping|Stopped) "
    r"|\d{4}-\d\d-\d\d \S+ .{0,60}(?:container|image|network) |conmon [0-9a-f]{8}|[0-9a-f]{64}$"
)


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
    said = [line.text.strip() for line in lines(text.encode()) if line.text.strip()]
    last = ([line for line in said if not _OF_KEEPERS.match(line)] or said)[-_LAST:]
    return "its log ends with: " + " | ".join(text[:_LONGEST] for text in last) if last else None
