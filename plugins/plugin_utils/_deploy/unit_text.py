# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""systemd's quoting: unit files (systemd.syntax), command lines (systemd.service), specifiers (systemd.unit)."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./$-]+")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_printable(text, where):
    """Raises InfraError for a character that a line of a unit can't hold, or that hides another."""
    if CONTROL.search(text):
        raise InfraError("a control character", where, shown(text), "a name or path in one line")
    return text


def specifiers(text):
    """C(text) where systemd replaces %-specifiers and nothing else: the rest of a line as it is."""
    return text.replace("%", "%%")


def word(text):
    """C(text) as one word of a setting that is a list of words."""
    text = specifiers(text)
    return text if PLAIN.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Expanded(str):
    """A word of a command line in which ${...} is meant to be a variable."""


def command_word(text):
    """C(text) as one word of a command line, where $ begins a variable as well."""
    return str(text) if isinstance(text, Expanded) else word(text.replace("$", "$$"))


def command_line(words):
    """The words of a command, a flag with its value to a line."""
    lines = []
    for item in words:
        quoted = command_word(item)
        if lines and not item.startswith("--") and lines[-1].startswith("--") and " " not in lines[-1]:
            lines[-1] += f" {quoted}"
        else:
            lines.append(quoted)
    return " \\\n  ".join(lines)


def section(name, rows):
    """[name] and its rows, (key, value) each; a value of None leaves the row out, a key of '#' makes it a comment."""
    lines = [f"[{name}]"]
    for key, value in rows:
        if value is not None:
            lines.append(f"# {value}" if key == "#" else f"{key}={value}")
    return "\n".join(lines) + "\n"
