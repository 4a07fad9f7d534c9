# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The logs of fixtures/, read."""

from __future__ import annotations

import pathlib

from ansible_collections.prositronic.infra.plugins.module_utils._server.log import file
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.log"))


def read(name):
    """The log C(name) as the module returns it."""
    return report(file.read(str(FIXTURES / f"{name}.log")))


def text(name):
    return (FIXTURES / f"{name}.log").read_text(encoding="utf-8")
