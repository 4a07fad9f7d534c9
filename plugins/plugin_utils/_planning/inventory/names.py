# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Short names for models: those that were given, or made from where a model comes from."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, printable, shown

_USER_AND_PASSWORD = re.compile(r"^([a-z]+://)[^/@]*@")
_SHARD = re.compile(r"-[0-9]{5}-of-[0-9]{5}$")
EXPECTED = "an address or path, a list of them, or a dictionary {name: address or path}"


def names(models):
    """C({name: source}) for one source, a list of them, or a dictionary that has the names. InfraError for anything else.

    Two sources of a list that would have the same name are named in full.
    """
    if isinstance(models, str):
        models = [models]
    if isinstance(models, dict):
        return {_line(name, "a name"): _line(source, name) for name, source in models.items()}
    if not isinstance(models, list):
        raise InfraError("not models", "models", shown(models), EXPECTED)
    sources = list(dict.fromkeys(_line(source, f"models[{index}]") for index, source in enumerate(models)))
    short = [name_of(source) for source in sources]
    return {name if short.count(name) == 1 else without_secrets(source): source for name, source in zip(short, sources, strict=True)}


def name_of(source):
    """'Llama-3.1-8B-Q4_K_M' for a path or URL of such a file; 'repo:Q4_K_M' for one of the Hub."""
    last = without_secrets(source).rstrip("/").rpartition("/")[2]
    return printable(_SHARD.sub("", last.removesuffix(".gguf"))) or "model"


def without_secrets(source):
    """An address without user, password and query; a path as it is."""
    found = _USER_AND_PASSWORD.sub(r"\1", source)
    return printable(found.partition("?")[0] if "://" in found else found)


def _line(value, where):
    if not isinstance(value, str) or not value:
        raise InfraError("not a model", where, shown(value), EXPECTED)
    return value
