# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain values at the boundary to Ansible. Private: not an interface for other collections.

ansible-core 2.19 and newer hand plugins lazy, tagged containers and strings that look like
C(dict), C(list) and C(str) but break C(type(x) is dict), C(yaml.safe_dump) and C(pickle).
Every plugin passes its input through to_plain() once, and nothing behind it meets an Ansible type.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

MOST_DEEP = 64
"""Several times as deep as anything that plugins take or give; a list within itself has no end."""


def to_plain(value, where="input", depth=0):
    """C(value) rebuilt from exact dict, list, str, int, float, bool and None.

    Raises InfraError naming the path of the first value that is none of these.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if depth >= MOST_DEEP:
        raise InfraError("lists and dictionaries within each other, too deep", where=where, expected=f"at most {MOST_DEEP} levels")
    if isinstance(value, Mapping):
        return {_key(key, where): to_plain(item, f"{where}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)]
    raise InfraError(
        "this kind of value can't be used here",
        where=where,
        got=f"{type(value).__name__} {shown(value)}",
        expected="a string, number, boolean, null, list or dictionary",
    )


def _key(key, where):
    if not isinstance(key, str):
        raise InfraError("a dictionary key is not a string", where=where, got=shown(key), expected="a string")
    return str.__str__(key)
