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
