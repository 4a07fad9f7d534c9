# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.overview import overview
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.page import MOST_OPEN, page
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.inventory.few_nodes import ODD

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Every tag with its attributes, the texts, and what stood open where it shouldn't."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.open, self.wrong = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag, name=None):
        return [attributes for found, attributes in self.tags if found == tag and (name is None or name in attributes.get("class", "").split())]


@pytest.fixture(scope="module")
def text(others):
    hostile = {f'"><script>{name}</script>': made for name, made in others["cpu"].items()}
    return page(overview({"l4": others["l4"]["large"]}, {**others, '<img src=x onerror="a()">': hostile}, {"bad'": "no <u>such</u> GPU & more"}))


def test_it_is_balanced_and_whole(text):
    read = Reader(text)
    assert (read.open, read.wrong) == ([], [])
    assert text.startswith("<!DOCTYPE html>\n<html") and text.endswith("</html>")
    ids = [attributes["id"] for _tag, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) == 5
    assert {attributes["href"] for attributes in read.all("a")} == {f"#{name}" for name in ids}


def test_it_needs_nothing_from_elsewhere_and_runs_nothing(text):
    read = Reader(text)
    assert {tag for tag, _attributes in read.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "form", 'b"', "u", 'i"'})
    assert not any(name.startswith("on") or name == "src" for _tag, attributes in read.tags for name in attributes)
    assert re.search(r"https?:|@import|url\(", text.replace("&quot;", "")) is None
    assert {"content": "default-src 'none'; style-src 'unsafe-inline'", "http-equiv": "Content-Security-Policy"} in read.all("meta")


def test_names_are_shown_as_they_are(text):
    shown = Reader(text).texts
    assert {ODD, '<img src=x onerror="a()">', f'"><script>{ODD}</script>', "bad'", "no <u>such</u> GPU & more", "x.gguf: <i>no</i>"} <= set(shown)


def test_a_bar_for_each_memory(others):
    read = Reader(page(overview({"two": others["two"]["small"]})))
    bars = [attributes["aria-label"] for attributes in read.all("div", "bar")]
    assert [stripe.partition(":")[0] for stripe in bars] == ["CUDA0", "CUDA1", "RAM"]
    widths = [float(attributes["style"].removeprefix("width:").removesuffix("%")) for attributes in read.all("span") if "style" in attributes]
    device = others["two"]["small"]["memory"]["devices"][0]
    assert widths[0] == pytest.approx(100 * device["weights_bytes"] / device["free_bytes"], abs=0.01)
    assert widths[1] == pytest.approx(100 * device["kv_bytes"] / device["free_bytes"], abs=0.01)


def test_what_does_not_fit_goes_over_its_budget(others):
    read = Reader(page(overview({"cpu": others["cpu"]["large"]})))
    (stripe,) = read.all("div", "bar")
    assert "over" in stripe["class"].split()
    budget = float(next(attributes["style"] for tag, attributes in read.tags if tag == "i").removeprefix("left:").removesuffix("%"))
    assert budget == pytest.approx(100 * 62 / 377.3, abs=0.1)
    parts = [float(attributes["style"].removeprefix("width:").removesuffix("%")) for attributes in read.all("span") if "style" in attributes]
    assert sum(parts) == pytest.approx(100, abs=0.1)
    # Flags of a plan that does not run would only be copied.
    assert read.all("pre") == []


def test_many_nodes_are_folded_away(others):
    plan = others["l4"]["small"]
    few, many = (Reader(page(overview({str(number): plan for number in range(count)}))) for count in (MOST_OPEN, MOST_OPEN + 1))
    assert all("open" in attributes for attributes in few.all("details"))
    assert not any("open" in attributes for attributes in many.all("details"))


def test_of_no_node_at_all():
    assert Reader(page(overview({}))).wrong == []
