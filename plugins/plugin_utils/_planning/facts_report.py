# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What nodes have as a table for a person: a row for each GPU, and what is wrong below it."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._units import human
from .backend import node_and_backend
from .wishes import wishes_from_plain

HEAD = ("Node", "GPU", "Name", "Memory", "Free", "Driver", "CUDA", "Backend", "RAM", "Available", "Problems")
NOTHING = "-"
WIDEST = 48
NOT_USED = "not used"


def facts_report(nodes):
    """The text for C({name: facts or a description}), without a line end. A node that can't be read is named with the reason.

    Raises InfraError for what is no dictionary of nodes.
    """
    if not isinstance(nodes, dict):
        raise InfraError("not a dictionary of nodes", got=shown(nodes), expected="{name: the facts of prositronic.infra.gpu_facts}")
    rows, below = [], []
    for name, facts in nodes.items():
        more, problems = _node(_plain(name), facts)
        rows += more
        below += [f"  ! {_plain(name)}: {problem}" for problem in problems]
    return "\n".join([*_table([HEAD, *rows]), *(["", "Problems", *below] if below else [])])


def _node(name, facts):
    """(rows, problems in sentences)."""
    try:
        if isinstance(facts, dict) and list(facts) == ["error"]:
            raise InfraError(_plain(facts["error"], 400))
        node, backend = node_and_backend(facts, wishes_from_plain({"node_name": name}))
    except InfraError as error:
        return [(name, *[NOTHING] * (len(HEAD) - 2), "unreadable")], [_plain(str(error), 400)]
    problems = _problems(facts)
    driver = facts.get("driver") if isinstance(facts.get("driver"), dict) else {}
    ram = (human(node.memory_total_bytes), human(node.memory_available_bytes))
    codes = ", ".join(dict.fromkeys(code for code, _text in problems)) or NOTHING
    version = _plain(driver.get("version") or NOTHING)
    gpus = [(gpu.device, gpu.name, human(gpu.memory_total_bytes), human(gpu.memory_free_bytes), backend.name) for gpu in node.gpus]
    gpus += [(NOTHING, gpu, *_memory(facts, gpu), NOT_USED) for gpu in (*node.ignored_gpus, *node.unusable_gpus)]
    rows = [
        (name, device, _plain(gpu), total, free, version, node.cuda_max or NOTHING, used, *ram, codes)
        for device, gpu, total, free, used in gpus or [(NOTHING, "no GPU", NOTHING, NOTHING, backend.name)]
    ]
    return rows, [text for _code, text in problems]


def _memory(facts, name):
    """The memory that the facts tell of a GPU that the backend doesn't drive."""
    row = next((row for row in facts.get("devices") or [] if row.get("name") == name), {})
    sizes = [row.get(key) for key in ("memory_total_bytes", "memory_free_bytes")]
    return [human(size) if isinstance(size, int) else NOTHING for size in sizes]


def _problems(facts):
    """(code, sentence) of each that the facts have."""
    told = facts.get("problems")
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    return [(_plain(str(row.get("code"))), _plain(f"{row.get('message')}. {row.get('fix') or ''}".rstrip(), 600)) for row in rows]


def _table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _plain(text, limit=WIDEST):
    """On one line, without control characters: it comes from a node."""
    text = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
