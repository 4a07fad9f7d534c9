# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The devices that llama.cpp is given."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .._options import Option, check_options

HOST = -1
"""Stands for the host wherever the number of a device is asked for."""

MOST_DEVICES = 64
"""Four times what llama.cpp has room for (ggml/src/ggml-backend.cpp: GGML_SCHED_MAX_BACKENDS)."""

SPEC = {
    "name": Option("line"),
    "free_bytes": Option("int", minimum=0),
    "free_mib": Option("int", minimum=0),
    "events": Option("bool"),
    "chunk_bytes": Option("int", minimum=1),
    "remote": Option("bool"),
}


@dataclass(frozen=True)
class Device:
    """A device in llama.cpp's order.

    C(events): the backend can overlap copies with computation (CUDA, ROCm: yes; needed for pipeline parallelism).
    C(chunk_bytes): the most that it hands out at once for results (Vulkan), None for no limit.
    C(remote): a ggml-rpc-server on another machine has it (remote.py).
    """

    name: str
    free_bytes: int
    events: bool = True
    chunk_bytes: int | None = None
    remote: bool = False


def devices_from_plain(rows):
    """Device list of plain dictionaries C({name, free_bytes, events, chunk_bytes, remote}); C(free_mib) may stand for C(free_bytes)."""
    if len(rows) > MOST_DEVICES:
        raise InfraError("too many devices", where="devices", got=len(rows), expected=f"at most {MOST_DEVICES}")
    return tuple(_device(index, row) for index, row in enumerate(rows))


def _device(index, row):
    where = f"devices[{index}]"
    values = check_options(row, SPEC, where)
    free_bytes = values["free_bytes"]
    if free_bytes is None and values["free_mib"] is not None:
        free_bytes = values["free_mib"] * 1024 * 1024
    if values["free_bytes"] is not None and values["free_mib"] is not None:
        raise InfraError("'free_bytes' and 'free_mib' say the same", where=where, fix="Give one of them")
    if free_bytes is None:
        raise InfraError("the device's free memory is missing", where=where, expected="free_bytes, a whole number of bytes")
    return Device(
        name=values["name"] or f"CUDA{index}",
        free_bytes=free_bytes,
        events=values["events"] is not False,
        chunk_bytes=values["chunk_bytes"],
        remote=bool(values["remote"]),
    )
