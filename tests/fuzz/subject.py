# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is fuzzed: bytes → model, and model → figures. Anything but a good answer or an InfraError is a finding."""

from __future__ import annotations

import json

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.model import build_model
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.shards import read_files
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.gguf_bytes import Memory

# An error is one line for a person, however long what is wrong may be.
LONGEST_MESSAGE = 1000


def read(data):
    """The plain model of a header, or the InfraError that it gives."""
    return _clear(lambda: _read(data))


def _read(data):
    model = build_model("memory", read_files([Memory(data)], 1))
    assert model["schema"] == 1 and model["architecture"]
    assert model["parameters"] >= 0 and model["size_bytes"] >= 0
    json.dumps(model)
    return model


def ask(model, question):
    """The answers of llama_memory and llama_plan for a plain model (see models.question), or the first InfraError."""
    return _clear(lambda: _ask(model, question))


def _ask(model, question):
    # Not at the top: this is code for controllers, and nodes with an older Python read headers too.
    from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query
    from ansible_collections.prositronic.infra.plugins.plugin_utils._plain import to_plain
    from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

    model = to_plain(model)
    memory = memory_query(model, question["devices"], question["settings"])
    for buffers in (*memory["devices"], memory["host"]):
        for part in ("weights_bytes", "kv_bytes", "compute_bytes"):
            assert isinstance(buffers[part], int) and buffers[part] >= 0, (buffers["name"], part, buffers[part])
    planned = plan(model, question["node"], question["wishes"])
    assert isinstance(planned["fits"], bool)
    json.dumps(planned)
    return planned


def _clear(work):
    try:
        return work()
    except InfraError as error:
        assert len(str(error)) <= LONGEST_MESSAGE, f"a message of {len(str(error))} characters: {str(error)[:200]}"
        assert str(error).isprintable(), f"a message that is not one line of text: {str(error)[:200]!r}"
        return error
