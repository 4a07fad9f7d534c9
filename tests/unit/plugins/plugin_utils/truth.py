# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The models and figures of tests/truth."""

from __future__ import annotations

import json
import pathlib
from functools import cache

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._model import model_from_plain

TRUTH = pathlib.Path(__file__).parents[3] / "truth"


@cache
def plain(name):
    """The plain model of a file in tests/truth/headers."""
    return read_model(str(TRUTH / "headers" / name))


@cache
def model(name):
    """The Model of a file in tests/truth/headers."""
    return model_from_plain(plain(name))


@cache
def rows():
    """Rows of full.jsonl, archs.jsonl and more.jsonl by model; those that llama.cpp itself refused are left out."""
    found = {}
    for path in (TRUTH / "full.jsonl", TRUTH / "archs.jsonl", TRUTH / "more.jsonl"):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "error" not in row:
                found.setdefault(row["model"], []).append(row)
    return found
