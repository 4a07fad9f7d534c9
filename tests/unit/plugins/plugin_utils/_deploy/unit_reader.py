# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads what systemd reads, written from its manual (systemd.syntax, systemd.service) and not from the code under test."""

from __future__ import annotations


def settings(text, name):
    """The values of a setting of a unit, lines that go on joined."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def words(line):
    """The words of a list setting: quotes and backslashes undone, then %%."""
    found, word, quote, started = [], "", None, False
    characters = iter(line)
    for character in characters:
        if character == "\\":
            word, started = word + next(characters), True
        elif quote:
            quote, word = (None, word) if character == quote else (quote, word + character)
        elif character in "\"'" and not started:
            quote, started = character, True
        elif character.isspace():
            found, word, started = [*found, word] if started else found, "", False
        else:
            word, started = word + character, True
    assert quote is None, line
    return [_without_specifiers(item) for item in ([*found, word] if started else found)]


def command(line, environment=()):
    """The words of a command line: as words(), then variables."""
    return [_expanded(word, dict(environment)) for word in words(line)]


def _without_specifiers(word):
    rest = word.replace("%%", "")
    assert "%" not in rest or rest[rest.index("%") + 1] in "tNnC", word
    return word.replace("%%", "%")


def _expanded(word, environment):
    for name, value in environment.items():
        word = word.replace(f"${{{name}}}", value)
    assert "$" not in word.replace("$$", ""), word
    return word.replace("$$", "$")
