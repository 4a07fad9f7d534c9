# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a plan was made from, as a digest: without the free memory, which a running server changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from .._memory import LLAMA_CPP

PASSING = ("memory_free_bytes", "memory_available_bytes")


def digest(schema, model_plain, node, wishes):
    """A sha256 over the model, the node as it is built, the wishes and the memory rules."""
    lasting = {key: value for key, value in asdict(node).items() if key not in PASSING}
    lasting["gpus"] = [{key: value for key, value in gpu.items() if key not in PASSING} for gpu in lasting["gpus"]]
    content = [schema, LLAMA_CPP, model_plain, lasting, asdict(wishes)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def still_holds(previous, inputs):
    """Whether the plain plan C(previous) was made from the same and fits."""
    return isinstance(previous, dict) and previous.get("inputs") == inputs and previous.get("fits") is True
