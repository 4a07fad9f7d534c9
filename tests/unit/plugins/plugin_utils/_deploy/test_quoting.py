# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Any text comes out of a unit and of a Compose file as it went in."""

from __future__ import annotations

import random

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy import unit_text, yaml_text
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import unit_reader

AWKWARD = " \"'\\$%{}#;:,=@|&<>*?![]()~`^-+abnZ09./é漢\U0001f600"
FIXED = [
    "",
    " ",
    "-",
    "--",
    "#",
    ";",
    "$",
    "$$",
    "${HOME}",
    "%",
    "%%",
    "%n",
    "\\",
    '"',
    "'",
    "a\\",
    '\\"',
    "yes",
    "null",
    "1e3",
    "- a",
    "a: b",
    "~",
    "*x",
    "&x",
    "!t",
    "@x",
    "|",
    ">",
]


def texts():
    chance = random.Random(1)
    return FIXED + ["".join(chance.choices(AWKWARD, k=chance.randint(1, 12))) for _text in range(3000)]


def test_a_command_line_of_systemd():
    for text in texts():
        line = unit_text.command_line(["/bin/x", "--a", text, text])
        assert unit_reader.command(line.replace("\\\n", " ")) == ["/bin/x", "--a", text, text], line


def test_a_word_of_a_list():
    for text in texts():
        assert unit_reader.words(unit_text.word(text)) == [text]


def test_yaml_values_and_keys():
    for text in [*texts(), "\n", "\t", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "a\nb: c"]:
        value = {"a": text, text or "b": [text, {"c": text, "d": []}], "e": {}, "f": None, "g": True, "h": 5}
        assert yaml.safe_load(yaml_text.document(value)) == value


def test_a_dollar_is_doubled_in_values_alone():
    assert yaml_text.literal({"a$": ["$x", {"b": "$$"}, 1, None]}) == {"a$": ["$$x", {"b": "$$$$"}, 1, None]}


@pytest.mark.parametrize("text", ["a\nExecStartPre=/bin/sh", "a\r", "a\x00", "a\x1b[2J", "a\u2028", "\ud800", "a\x85"])
def test_what_a_line_can_not_hold_is_refused(text):
    with pytest.raises(InfraError, match="a control character"):
        unit_text.check_printable(text, "here")
