# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The errors of this collection. Private: not an interface for other collections."""

from __future__ import annotations

import difflib

_LONGEST_PART = 500


class InfraError(Exception):
    """One clear error: what went wrong, where, what was got, what was expected, how to fix it.

    Every part but C(what) is optional; the message joins those given into one line, whatever is in them.
    """

    def __init__(self, what, where=None, got=None, expected=None, fix=None):
        self.what = what
        self.where = where
        self.got = got
        self.expected = expected
        self.fix = fix
        super().__init__(self._message())

    def _message(self):
        text = _line(self.what) if self.where is None else f"{_line(self.where)}: {_line(self.what)}"
        details = []
        if self.got is not None:
            details.append(f"got {_line(self.got)}")
        if self.expected is not None:
            details.append(f"expected {self.expected}")
        if details:
            text += " (" + ", ".join(details) + ")"
        if self.fix is not None:
            text += f". {self.fix}" + ("" if self.fix.endswith((".", "?")) else ".")
        return text


def _line(part):
    """A part of a message, short. What can't be printed is escaped, so that one finds it."""
    text = str(part)
    text = text if len(text) <= _LONGEST_PART else text[: _LONGEST_PART - 3] + "..."
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def printable(text):
    """C(text) from outside on one line, without characters that would do something to a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def shown(value, limit=80):
    """C(value) as one short line for a message; never the whole of a hostile input."""
    if isinstance(value, (str, bytes)):
        value = value[: limit + 1]
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, or lists in lists without an end
        text = f"a {type(value).__name__} that can't be shown"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def nearest(name, valid):
    """'Did you mean X?' with the nearest of C(valid), or the list of them where none is near; None where there are none."""
    names = sorted(str(item) for item in valid)
    if not names:
        return None
    near = difflib.get_close_matches(str(name)[:_LONGEST_PART], names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    return "Valid names: " + ", ".join(names)
