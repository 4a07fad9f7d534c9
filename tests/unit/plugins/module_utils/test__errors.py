# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown


def test_a_message_says_what_where_got_expected_and_the_fix():
    error = InfraError("wrong kind", where="a.b", got="1", expected="a string", fix="Quote it")
    assert str(error) == "a.b: wrong kind (got 1, expected a string). Quote it."
    assert str(InfraError("wrong")) == "wrong"


def test_a_value_is_shown_on_one_short_line():
    assert len(shown("x" * 10**6)) == 80
    assert "\n" not in shown("a\nb")


def test_the_nearest_name_or_all_of_them():
    assert nearest("ctx_sise", ["ctx_size", "parallel"]) == "Did you mean 'ctx_size'?"
    assert nearest("zzz", ["b", "a"]) == "Valid names: a, b"
    assert nearest("zzz", []) is None


def test_a_message_is_one_short_line_whatever_is_in_it():
    text = str(InfraError("a\nb", where="\x1b[2J" + "x" * 10**6, got="\u202e\ud800", expected="1", fix="Mend it"))
    assert text.startswith("\\x1b[2Jxxx") and "...: a\\nb (got \\u202e\\ud800, expected 1). Mend it." in text
    assert text.isprintable() and len(text) < 600


def test_what_python_can_not_write_is_shown_too():
    endless = []
    for _level in range(10**5):
        endless = [endless]
    assert shown(endless).startswith(("a list that can't be shown", "[["))
    too_long = int.from_bytes(b"\xff" * 3000, "big")  # more digits than Python writes
    assert len(shown(too_long)) <= 80
