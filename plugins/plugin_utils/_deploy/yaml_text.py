# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""YAML as Compose reads it: every string in double quotes, so that none is a number, a boolean or an anchor."""

from __future__ import annotations

import json
import re

PLAIN_KEY = re.compile(r"[a-z][a-z0-9_-]*")
NEVER_A_KEY = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def scalar(value):
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def key(text):
    return text if PLAIN_KEY.fullmatch(text) and text not in NEVER_A_KEY else scalar(text)


def literal(value):
    """C(value) with every $ of its strings doubled: Compose replaces variables in strings, not in keys."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {name: literal(item) for name, item in value.items()}
    return [literal(item) for item in value] if isinstance(value, list) else value


def document(value, indent=0):
    """A dictionary as a YAML document. Empty lists and dictionaries are written in flow style."""
    pad = "  " * indent
    lines = []
    for name, item in value.items():
        lines += _entry(f"{pad}{key(name)}:", item, indent)
    return "\n".join(lines) + ("\n" if indent == 0 else "")


def _entry(head, item, indent):
    if isinstance(item, dict) and item:
        return [head, document(item, indent + 1)]
    if isinstance(item, list) and item:
        return [head, *(_item(one, indent + 1) for one in item)]
    return [f"{head} {'{}' if item == {} else '[]' if item == [] else scalar(item)}"]


def _item(one, indent):
    pad = "  " * indent
    if isinstance(one, dict) and one:
        return f"{pad}- " + document(one, indent + 1).lstrip(" ")
    return f"{pad}- {scalar(one)}"
