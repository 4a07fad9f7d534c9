# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama-server tells of a start: build, devices, layers, buffers, context. Private: not an interface for other collections.

Sources in llama.cpp: common/common.cpp (common_params_print_info), src/llama.cpp (llama_prepare_model_devices), src/llama-model.cpp (load_tensors),
src/llama-context.cpp, src/llama-kv-cache.cpp, src/llama-memory-recurrent.cpp, tools/server/server-context.cpp (load_model).
Nearly all of it is logged from --log-verbosity 4 on; the server's default is 3.
"""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.buffers import Buffers

MIB = 1024 * 1024
MOST_DEVICES = 64

_BUILD = re.compile(r".*common_params_print_info: build (\d{1,9}) \(([^()\s]{1,40})\)")
_VERBOSITY = re.compile(r".*common_params_print_info: verbosity = (\d{1,9})")
_BACKEND = re.compile(r"load_backend: loaded (\S{1,40}) backend from ")
_DEVICE = re.compile(r"(?:cmn +\S+ )? *- (\S{1,40}) *: (.{1,200}) \((\d{1,12}) MiB, (\d{1,12}) MiB free\)$")
_USED = re.compile(r".*using device (\S{1,40}) \((.{1,200})\) \(([^()]{1,80})\) - (\d{1,12}) MiB free$")
_LAYERS = re.compile(r"load_tensors: offloaded (\d{1,9})/(\d{1,9}) layers to GPU$")
_BUFFER = re.compile(r"(\w{1,80}): +(\S{1,80}) +(model|KV|RS|compute|output|DSV4 .{1,40} state) buffer size = +(\d{1,12}\.\d\d) MiB$")
_CACHE = re.compile(r"\w{1,80}: size = .{1,80} cells, .{1,80}, K \((\w{1,20})\): .{1,40}, V \((\w{1,20})\): ")
_CONTEXT = re.compile(r"llama_context: (n_seq_max|n_ctx|n_ctx_seq|n_batch|n_ubatch|kv_unified|flash_attn) += (\w{1,20})$")
_FLASH = re.compile(r"\w{1,80}: Flash Attention (enabled|not supported)")
_SLOTS = re.compile(r".*initializing, n_slots = (\d{1,9}), n_ctx_slot = (\d{1,12})")
_LOADING = re.compile(r"srv +load_model: loading model '")
_CONSTRUCTING = "llama_context: constructing llama_context"
_RESERVE = ("sched_reserve", "llama_context")
_RESERVING = "sched_reserve: reserving ..."
_LOADED = re.compile(r"(?:srv +\w+|main): model loaded$")

_WORDS = {"true": True, "false": False, "enabled": True, "disabled": False}


class Facts:
    """Reads line by line. A server that slept and woke up loads its model again: the last load counts."""

    def __init__(self):
        self.build = None
        self.verbosity = None
        self.backends = []
        self.devices = {}
        self.loaded = False
        self._begin()

    def _begin(self):
        self.used = {}
        self.layers = None
        self.buffers = Buffers()
        self.context = {}
        self.slots = None
        self.loaded = False

    def read(self, lines):
        for line in lines:
            self._line(line.text)
        return self

    def _line(self, text):
        if _LOADING.match(text):
            self._begin()
        elif self.loaded:
            # What is logged from here on comes from requests.
            return
        elif _LOADED.match(text):
            self.loaded = True
        elif text == _CONSTRUCTING:
            self.buffers.begin_context()
        elif text == _RESERVING:
            self.buffers.begin_reserve()
        else:
            self._figure(text)

    def _figure(self, text):
        for pattern, take in _TAKE:
            found = pattern.match(text)
            if found:
                take(self, *found.groups())
                return

    def _take_build(self, number, commit):
        self.build = f"b{number}-{commit}"

    def _take_verbosity(self, number):
        self.verbosity = int(number)

    def _take_backend(self, name):
        if name not in self.backends and len(self.backends) < MOST_DEVICES:
            self.backends.append(name)

    def _take_device(self, name, description, total, free):
        if not name.startswith("CPU") and len(self.devices) < MOST_DEVICES:
            self.devices[name] = {"name": name, "description": description, "total_bytes": int(total) * MIB, "free_bytes": int(free) * MIB}

    def _take_used(self, name, description, identity, free):
        if len(self.used) < MOST_DEVICES:
            self.used[name] = {"description": description, "pci_bus_id": None if identity == "unknown id" else identity, "free_bytes": int(free) * MIB}

    def _take_layers(self, on_gpu, total):
        self.layers = (int(on_gpu), int(total))

    def _take_buffer(self, function, name, kind, mib):
        # A projector of images has compute buffers of its own, by the same name.
        if kind != "compute" or function in _RESERVE:
            self.buffers.add(name, kind, round(float(mib) * MIB))

    def _take_cache(self, type_k, type_v):
        # The first is the cache of the attention; an index beside it has types of its own.
        self.context.setdefault("cache_type_k", type_k)
        self.context.setdefault("cache_type_v", type_v)

    def _take_context(self, name, value):
        if self.buffers.contexts > 1:
            # That of a draft.
            return
        self.context[name] = int(value) if value.isdecimal() else _WORDS.get(value)

    def _take_flash(self, word):
        if self.buffers.contexts <= 1:
            self.context["flash_attn"] = word == "enabled"

    def _take_slots(self, number, _context):
        self.slots = int(number)

    def plain(self):
        """As the module returns it."""
        names = list(self.devices) + [name for name in (*self.used, *self.buffers.devices()) if name not in self.devices]
        return {
            "build": self.build,
            "verbosity": self.verbosity,
            "backends": self.backends,
            "devices": [self._device(name) for name in dict.fromkeys(names)],
            "layers": self._layers(),
            "memory": self.buffers.plain(),
            "context": self._context(),
            "model_loaded": self.loaded,
        }

    def _device(self, name):
        told, used = self.devices.get(name, {}), self.used.get(name)
        return {
            "name": name,
            "description": told.get("description") or (used or {}).get("description"),
            "pci_bus_id": (used or {}).get("pci_bus_id"),
            "total_bytes": told.get("total_bytes"),
            "free_bytes": used["free_bytes"] if used else told.get("free_bytes"),
            "used": used is not None or name in self.buffers.devices(),
        }

    def _layers(self):
        """The server counts layers as offloaded even where it was given no device (--device none): then none is on a GPU."""
        if self.layers is None:
            # Without a backend for GPUs that line is left out.
            return {"on_gpu": 0, "total": None} if self.buffers.has_weights() and not self.buffers.devices() else None
        on_gpu, total = self.layers
        return {"on_gpu": on_gpu if self.used or self.buffers.devices() else 0, "total": total}

    def _context(self):
        if not self.context and self.slots is None:
            return None
        names = ("n_ctx", "n_ctx_seq", "n_seq_max", "n_batch", "n_ubatch", "kv_unified", "flash_attn", "cache_type_k", "cache_type_v")
        return {"slots": self.slots, **{name: self.context.get(name) for name in names}}


_TAKE = (
    (_BUFFER, Facts._take_buffer),
    (_CONTEXT, Facts._take_context),
    (_FLASH, Facts._take_flash),
    (_CACHE, Facts._take_cache),
    (_LAYERS, Facts._take_layers),
    (_USED, Facts._take_used),
    (_DEVICE, Facts._take_device),
    (_BACKEND, Facts._take_backend),
    (_SLOTS, Facts._take_slots),
    (_BUILD, Facts._take_build),
    (_VERBOSITY, Facts._take_verbosity),
)
