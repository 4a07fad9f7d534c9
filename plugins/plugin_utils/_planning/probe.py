# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Questions to the memory rules during one plan, each asked once."""

from __future__ import annotations

from dataclasses import replace

from .._memory.memory import allocate
from .._memory.settings import pad


class Probe:
    """What an allocation would be with some of its settings changed and every layer and tensor where it is."""

    def __init__(self, model, devices, batch_size):
        self._model = model
        self._devices = devices
        self._batch_size = batch_size
        self._known = {}

    def with_settings(self, allocation, **changes):
        """C(changes): fields of Settings."""
        return self._ask(replace(allocation.settings, **changes))

    def with_context(self, allocation, ctx_size):
        settings = allocation.settings
        n_ctx_seq = pad(pad(ctx_size) // settings.n_stream)
        n_batch = min(ctx_size, self._batch_size)
        return self._ask(replace(settings, n_ctx=n_ctx_seq * settings.n_stream, n_ctx_seq=n_ctx_seq, n_batch=n_batch, n_ubatch=min(settings.n_ubatch, n_batch)))

    def _ask(self, settings):
        if settings not in self._known:
            self._known[settings] = allocate(self._model, settings, self._devices)
        return self._known[settings]
