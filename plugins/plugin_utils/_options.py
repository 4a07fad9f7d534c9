# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checking of named options from a user. Private: not an interface for other collections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isnan

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")
"""A whole number as text: Ansible before 2.19 makes text of every number that comes from a template."""

INT32_MAX = (1 << 31) - 1
"""The largest number that llama-server takes for most of its options (common/common.h: int32_t)."""

INT64_MAX = (1 << 63) - 1
"""No figure of a machine or a model is larger."""

LONGEST_LINE = 200


@dataclass(frozen=True)
class Option:
    """What one option accepts. C(kind) is the name of a check below; C(None) always means "not given"."""

    kind: str
    minimum: int | None = None
    choices: tuple[str, ...] | None = None
    maximum: int = INT64_MAX


def check_options(given, spec, where):
    """C(given) with every value checked against C(spec) (name -> Option), defaults filled with None.

    Raises InfraError for an unknown name, naming the nearest valid one, and for a value of the wrong kind.
    """
    for name in given:
        if name not in spec:
            raise InfraError(f"unknown option {shown(name)}", where=where, fix=nearest(name, spec))
    return {name: check_option(given.get(name), option, f"{where}.{name}") for name, option in spec.items()}


def check_option(value, option, where):
    """One value as the exact type C(option) asks for."""
    if value is None:
        return None
    value = _CHECKS[option.kind](value, where)
    if option.choices is not None and isinstance(value, str) and value not in option.choices:
        raise InfraError("not one of the choices", where, shown(value), " or ".join(option.choices), nearest(value, option.choices))
    for index, number in enumerate(value if option.kind == "numbers" else [value]):
        if isinstance(number, (int, float)):
            _check_range(number, option, f"{where}[{index}]" if option.kind == "numbers" else where)
    return value


def _check_range(number, option, where):
    if isinstance(number, float) and isnan(number):
        raise InfraError("not a number", where, shown(number), "a number")
    if option.minimum is not None and number < option.minimum:
        raise InfraError("too small", where, shown(number), f"at least {option.minimum}")
    if abs(number) > option.maximum:
        raise InfraError("too large", where, shown(number), f"at most {option.maximum}")


def _integer(value, where):
    if isinstance(value, bool):
        raise InfraError("not an integer", where, shown(value), "a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise InfraError("not an integer", where, shown(value), "a whole number")


def _boolean(value, where):
    if isinstance(value, bool):
        return value
    raise InfraError("not a boolean", where, shown(value), "true or false")


def _string(value, where):
    if isinstance(value, str):
        return value
    raise InfraError("not a string", where, shown(value), "a string")


def _line(value, where):
    """A name: it is shown in messages and reports."""
    if _string(value, where).isprintable() and len(value) <= LONGEST_LINE:
        return value
    raise InfraError("not a name", where, shown(value), f"up to {LONGEST_LINE} printable characters")


def _number(value, where):
    if isinstance(value, float):
        return value
    return _integer(value, where)


def _integer_or_word(value, where):
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        return value
    return _integer(value, where)


def _switch(value, where):
    """on, off or auto. YAML 1.1 reads an unquoted on or off as a boolean, so those count as well."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return _string(value, where)


def _numbers(value, where):
    if isinstance(value, str):
        value = [_as_number(part, where) for part in value.split(",")]
    if not isinstance(value, list):
        raise InfraError("not a list", where, shown(value), "a list of numbers")
    return [_number(item, f"{where}[{index}]") for index, item in enumerate(value)]


def _as_number(text, where):
    try:
        return float(text)
    except ValueError:
        raise InfraError("not a number", where, shown(text), "a number") from None


def _strings(value, where):
    if isinstance(value, str):
        return [part for part in value.split(",") if part]
    if not isinstance(value, list):
        raise InfraError("not a list", where, shown(value), "a list of strings")
    return [_string(item, f"{where}[{index}]") for index, item in enumerate(value)]


def _dictionary(value, where):
    if isinstance(value, dict):
        return value
    raise InfraError("not a dictionary", where, shown(value), "a dictionary")


def _dictionaries(value, where):
    if not isinstance(value, list):
        raise InfraError("not a list", where, shown(value), "a list of dictionaries")
    return [_dictionary(item, f"{where}[{index}]") for index, item in enumerate(value)]


_CHECKS = {
    "bool": _boolean,
    "dict": _dictionary,
    "dicts": _dictionaries,
    "int": _integer,
    "int_or_word": _integer_or_word,
    "line": _line,
    "number": _number,
    "numbers": _numbers,
    "str": _string,
    "strs": _strings,
    "switch": _switch,
}
