# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._plain import to_plain


class Text(str):
    """Like a string that ansible-core has tagged."""


class Table(dict):
    """Like a dictionary that ansible-core makes lazily."""


def kind(value):
    return value.__class__.__name__


def test_subclasses_become_exact_types():
    got = to_plain(Table({Text("a"): [Text("b"), (1, 2.5)], "c": None, "d": True}))
    assert got == {"a": ["b", [1, 2.5]], "c": None, "d": True}
    assert kind(got) == "dict"
    assert {kind(key) for key in got} == {"str"}
    assert kind(got["a"][0]) == "str"
    assert got["d"] is True


@pytest.mark.parametrize(
    "value, message",
    [
        ({"a": [object]}, "model.a[0]: this kind of value can't be used here"),
        ({"a": {1: 2}}, "model.a: a dictionary key is not a string (got 1"),
        ({"a": {1, 2}}, "model.a: this kind of value can't be used here (got set {1, 2}"),
    ],
)
def test_anything_else_is_refused_with_its_place(value, message):
    with pytest.raises(InfraError) as error:
        to_plain(value, "model")
    assert message in str(error.value)


def test_what_lies_too_deep_is_refused():
    value = 1
    for _level in range(64):
        value = [value]
    assert to_plain(value) == value
    with pytest.raises(InfraError, match="too deep .expected at most 64 levels"):
        to_plain([value])
