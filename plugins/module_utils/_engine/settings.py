# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One setting in a file of settings. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import InfraError, nearest, shown


@dataclass(frozen=True)
class Setting:
    """C(value) at C(path), the keys from the top of the file to the setting."""

    path: tuple
    value: object


def setting_from(given, where):
    """A Setting from a dictionary {path: [str], value}. Raises InfraError for anything else."""
    for name in given:
        if name not in ("path", "value"):
            raise InfraError(f"unknown key '{name}'", where=where, fix=nearest(name, ("path", "value")))
    path = given.get("path")
    if not isinstance(path, list) or not path or not all(isinstance(key, str) and key for key in path):
        raise InfraError("not a path of keys", where=f"{where}.path", got=shown(path), expected="a list of names")
    if "value" not in given:
        raise InfraError("no value is given", where=where)
    return Setting(tuple(path), given["value"])


def conflict(path, got, expected):
    """The error for a setting that has another value already."""
    return InfraError(
        "another value is set already",
        where=".".join(path),
        got=shown(got),
        expected=shown(expected),
        fix="Change it by hand, or allow that it is overwritten",
    )
