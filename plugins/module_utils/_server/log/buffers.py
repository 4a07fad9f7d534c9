# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The buffers that a log tells of, by device and kind. Private: not an interface for other collections."""

from __future__ import annotations

import re

KINDS = ("weights_bytes", "kv_bytes", "compute_bytes")
MOST_BUFFERS = 256

_KEYS = {"model": "weights_bytes", "KV": "kv_bytes", "RS": "kv_bytes", "compute": "compute_bytes", "output": "output_bytes"}
# CUDA0, Vulkan1, MTL0_Mapped, RPC0[127.0.0.1:50052]; CPU, CPU_Mapped, CPU_REPACK, CUDA_Host and AMX are the host's.
_OF_A_DEVICE = re.compile(r"([A-Za-z]{1,30}\d{1,4})(?:_\w{1,30})?(?:\[.{1,60}\])?$")


class Buffers:
    """Weights and caches add up. Compute buffers are reserved anew now and then: in each context the last figure counts."""

    def __init__(self):
        self._lasting = {}
        self._compute = [{}]
        self._mapped = False
        self.contexts = 0

    def begin_context(self):
        self.contexts += 1
        if self.contexts > 1 and len(self._compute) < MOST_BUFFERS:
            self._compute.append({})

    def begin_reserve(self):
        self._compute[-1] = {}

    def add(self, buffer, kind, size):
        found = _OF_A_DEVICE.match(buffer)
        name = found.group(1) if found else None
        key = _KEYS.get(kind, "kv_bytes")
        if name is None and buffer.endswith("_Mapped"):
            self._mapped = True
        if key == "compute_bytes":
            # A host has several: CPU and CUDA_Host.
            self._compute[-1][(name, buffer)] = size
        elif (name, key) in self._lasting or len(self._lasting) < MOST_BUFFERS:
            self._lasting[(name, key)] = self._lasting.get((name, key), 0) + size

    def devices(self):
        """The names of the devices that hold weights or a cache; a compute buffer alone does not put a layer there."""
        return list(dict.fromkeys(name for name, key in self._lasting if name is not None and key in ("weights_bytes", "kv_bytes")))

    def has_weights(self):
        return any(key == "weights_bytes" for _name, key in self._lasting)

    def plain(self):
        """The shape of a plan's C(memory); None where the log has no buffers at all."""
        if not self._lasting and not any(self._compute):
            return None
        computing = [name for reserved in self._compute for name, _buffer in reserved if name is not None]
        names = dict.fromkeys([*self.devices(), *computing])
        host = {**self._row(None), "output_bytes": self._lasting.get((None, "output_bytes"), 0), "weights_mapped": self._mapped}
        return {"devices": [{"name": name, **self._row(name)} for name in names], "host": host}

    def _row(self, name):
        row = {key: self._lasting.get((name, key), 0) for key in KINDS}
        row["compute_bytes"] = sum(size for reserved in self._compute for (owner, _buffer), size in reserved.items() if owner == name)
        row["total_bytes"] = sum(row.values())
        return row
