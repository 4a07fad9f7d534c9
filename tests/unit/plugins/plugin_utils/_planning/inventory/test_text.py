# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.overview import overview
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.text import text


def test_columns_stand_below_one_another(others):
    lines = text(overview({"l4": others["l4"]["large"]}, others)).splitlines()
    head = next(line for line in lines if "GPU memory" in line)
    rows = lines[lines.index(head) + 1 : lines.index(head) + 10]
    assert [row[head.index("Runs") :].split()[0] for row in rows] == ["GPU", "GPU+RAM", "error", "GPU", "no", "error", "CPU", "no", "error"]
    assert [row[head.index("Backend") :].split()[0] for row in rows][:2] == ["cuda12", "cuda12"]
    assert rows[1].startswith("l4    large *")
    assert lines[-4] == "Without a plan"


def test_words_that_are_there_are_explained(others):
    plan = others["l4"]["small"]
    assert text(overview({"l4": plan})).splitlines()[-1] == "GPU: everything is on the GPU."
    assert text(overview({"l4": plan}, errors={"x": "y"})).splitlines()[-4] == "GPU: everything is on the GPU. error: there is no plan."


def test_nothing_does_something_to_a_terminal(others):
    odd = {"n\x1b[31m\nx": {**others["l4"]["small"], "backend": "cuda12"}}
    got = text(overview(odd, {"y\r": {"m\x07": others["cpu"]["large"], "z": "e\x1b]0;x\x07"}}))
    assert all(line.isprintable() for line in got.split("\n"))
