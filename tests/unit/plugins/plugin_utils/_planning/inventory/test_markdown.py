# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.markdown import escaped, markdown
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.overview import overview


def tables(document):
    """Each table as rows of cells, as a reader of Markdown splits them."""
    found, table = [], []
    for line in [*document.splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif table:
            found, table = [*found, table], []
    return found


def test_every_table_is_one(others):
    found = tables(markdown(overview({"l4": others["l4"]["small"]}, others, {"bad|": "no <b>"})))
    assert [len(table) for table in found] == [2 + 4, 2 + 10, 2 + 4]
    for table in found:
        assert {len(row) for row in table} == {len(table[0])}
        assert table[1] == ["---"] * len(table[0])
    assert found[0][0][2:4] == ["small", "large"]
    assert [row[0] for row in found[0][2:]] == ["l4", "two", "cpu", r"bad\|"]


def test_what_would_help_and_what_failed_are_told(others):
    document = markdown(overview({}, others, {"bad|": "no <b>"}))
    assert "* bad\\|: no \\<b\\>\n" in document
    assert re.search(r"^\* cpu, large: [0-9.]+ GiB more RAM\.", document, re.MULTILINE)
    assert "## Without a plan" not in markdown(overview({"l4": others["l4"]["small"]}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Q4_K_M", "Q4_K_M"), ("_x_", r"\_x\_"), ("<b>", r"\<b\>"), ("a|b", r"a\|b"), ("*[x](y)`", r"\*\[x\](y)\`"), ("a\\|", r"a\\\|"), ("&amp;", r"\&amp;")],
)
def test_names_are_shown_as_they_are(text, shown):
    assert escaped(text) == shown
