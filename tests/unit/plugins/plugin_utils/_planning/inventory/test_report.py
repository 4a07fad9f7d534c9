# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.overview import overview
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.report import ENDINGS, format_of, plans_report


@pytest.mark.parametrize(
    ("form", "name"),
    [("text", "text"), ("a.txt", "text"), ("/x/a.md", "markdown"), ("a.b.html", "html"), ("plans.json", "json"), *((kind, kind) for kind in ENDINGS.values())],
)
def test_a_format_by_its_name_or_a_files_ending(form, name):
    assert format_of(form) == name


@pytest.mark.parametrize("form", ["", "pdf", "a.pdf", ".html", "htm", None, 3, ["html"]])
def test_another_format_is_refused(form):
    with pytest.raises(InfraError, match="format: "):
        format_of(form)


def test_every_format(others):
    given = ({"l4": others["l4"]["small"]}, others, {"bad": "why"})
    reports = {name: plans_report(given[0], name, *given[1:]) for name in ENDINGS.values()}
    assert all("why" in report and "bad" in report and not report.endswith("\n") for report in reports.values())
    assert json.loads(reports["json"]) == overview(*given)
    assert reports["text"] == plans_report(given[0], others=given[1], errors=given[2])
