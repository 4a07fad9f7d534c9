# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._options import Option, check_option, check_options


def test_what_is_not_given_is_none():
    assert check_options({"a": 1}, {"a": Option("int"), "b": Option("str")}, "x") == {"a": 1, "b": None}


@pytest.mark.parametrize(
    "option, value, expected",
    [
        (Option("int"), "-3", -3),
        (Option("number"), 2.5, 2.5),
        (Option("switch"), True, "on"),
        (Option("int_or_word", choices=("all",)), "all", "all"),
        (Option("int_or_word", choices=("all",)), "7", 7),
        (Option("numbers"), "1,2.5", [1.0, 2.5]),
        (Option("numbers"), [1, "2"], [1, 2]),
        (Option("strs"), "a=CPU,b=CPU", ["a=CPU", "b=CPU"]),
        (Option("dicts"), [{}], [{}]),
    ],
)
def test_values_are_taken_as_the_kind_they_are(option, value, expected):
    assert check_option(value, option, "x") == expected


@pytest.mark.parametrize(
    "option, value",
    [
        (Option("int"), 1.5),
        (Option("int"), False),
        (Option("int"), "+-3"),
        (Option("int"), "24 GiB"),
        (Option("int"), "1e9"),
        (Option("int"), ""),
        (Option("int"), "9" * 5000),
        (Option("int_or_word", choices=("all",)), "--7"),
        (Option("bool"), "yes"),
        (Option("str"), 1),
        (Option("numbers"), "1,x"),
        (Option("numbers"), {}),
        (Option("strs"), [1]),
        (Option("dict"), []),
        (Option("dicts"), {}),
        (Option("int_or_word", choices=("all",)), "any"),
    ],
)
def test_a_value_of_another_kind_is_refused(option, value):
    with pytest.raises(InfraError, match="^x"):
        check_option(value, option, "x")


def test_an_unknown_name_far_from_all_others_lists_them():
    with pytest.raises(InfraError, match="Valid names: a, b"):
        check_options({"zzzz": 1}, {"a": Option("int"), "b": Option("str")}, "x")
