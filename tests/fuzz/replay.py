# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The corpus: inputs that were found, each in a file named after the error that it is to give."""

from __future__ import annotations

import json
import pathlib
import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

CORPUS = pathlib.Path(__file__).with_name("corpus")
NO_ERROR = "no-error"


def headers():
    """(path, bytes) of each header."""
    return [(path, path.read_bytes()) for path in sorted(CORPUS.glob("*.header"))]


def models():
    """(path, plain model, question) of each model."""
    found = []
    for path in sorted(CORPUS.glob("*.json")):
        question = json.loads(path.read_text(encoding="utf-8"))
        found.append((path, question.pop("model"), question))
    return found


def expected(path):
    """What is in the file's name, without the letter that keeps several of one kind apart."""
    return re.sub(r"(-[a-z])?$", "", path.stem)


def name(outcome):
    """The name of an input with this outcome: what the InfraError says, without what differs from file to file."""
    if not isinstance(outcome, InfraError):
        return NO_ERROR
    words = re.sub(r"""b?(['"]).*?(\1|\.\.\.)|\(.*""", " ", outcome.what.replace("can't", "cannot").replace("'s ", " "))
    return "-".join(re.findall(r"\b[a-z]+\b", words))[:60].strip("-")
