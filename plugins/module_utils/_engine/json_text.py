# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings in JSON text, such as Docker's daemon.json. Private: not an interface for other collections."""

from __future__ import annotations

import json
import re

from .._errors import InfraError, shown
from .settings import conflict


def set_json(text, settings, overwrite=False):
    """The text with C(settings) set and every other key as it was, in its order and with its indentation.

    The same text when nothing has to change. Raises InfraError for text that is no JSON object, and without
    C(overwrite) for a setting that has another value.
    """
    document = _parse(text)
    changed = False
    for setting in settings:
        place = document
        for depth, key in enumerate(setting.path[:-1]):
            inner = place.setdefault(key, {})
            if not isinstance(inner, dict):
                raise conflict(setting.path[: depth + 1], inner, {setting.path[depth + 1]: setting.value})
            place = inner
        key = setting.path[-1]
        if key in place and _same(place[key], setting.value):
            continue
        if key in place and not overwrite:
            raise conflict(setting.path, place[key], setting.value)
        place[key] = setting.value
        changed = True
    return _written(document, text) if changed else text


def unset_json(text, settings):
    """The text without those of C(settings) that have exactly this value; a dictionary that becomes empty goes with its last key."""
    document = _parse(text)
    changed = False
    for setting in settings:
        changed |= _remove(document, setting.path, setting.value)
    return _written(document, text) if changed else text


def _remove(place, path, value):
    if not isinstance(place, dict) or path[0] not in place:
        return False
    if len(path) == 1:
        if not _same(place[path[0]], value):
            return False
        del place[path[0]]
        return True
    removed = _remove(place[path[0]], path[1:], value)
    if removed and not place[path[0]]:
        del place[path[0]]
    return removed


def _same(one, other):
    """Equal in JSON, where true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _parse(text):
    if not text.strip():
        return {}
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise InfraError("this is no JSON, and nothing is changed in it", got=str(error), expected="a JSON object", fix="Mend the file by hand") from error
    if not isinstance(document, dict):
        raise InfraError("this is no JSON object", got=shown(document), expected="{...}")
    return document


def _once(pairs):
    """Of a key that is there twice JSON readers keep one: writing the file would lose the other for good."""
    keys = [key for key, value in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key '{key}' is there twice")
    return dict(pairs)


def _written(document, before):
    found = re.search(r"^([ \t]+)\S", before, re.MULTILINE)
    return json.dumps(document, indent=found.group(1) if found else 4, ensure_ascii=False) + "\n"
