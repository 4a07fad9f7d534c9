# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that llama-server holds in RAM: what it takes to start, and what to run without paging."""

from __future__ import annotations

from dataclasses import dataclass

from .checkpoints import checkpoint_bytes
from .loading import loading_bytes
from .output import output_bytes
from .process import process_bytes
from .vocabulary import vocabulary_bytes
from .weights import LOCKED, own_bytes


@dataclass(frozen=True)
class HostRam:
    """Bytes. C(mapped_weights_bytes) are pages of the file, C(own_weights_bytes) are not; C(locked): the pages must stay too.

    C(device_bytes): buffers of GPUs that share the RAM. C(checkpoint_bytes): one context checkpoint; C(checkpoints_bytes) and C(cache_ram_bytes)
    are what checkpoints and the prompt cache may grow to.
    """

    own_weights_bytes: int
    mapped_weights_bytes: int
    locked: bool
    kv_bytes: int
    compute_bytes: int
    output_bytes: int
    vocabulary_bytes: int
    process_bytes: int
    loading_bytes: int
    device_bytes: int
    checkpoint_bytes: int
    checkpoints_bytes: int
    cache_ram_bytes: int

    @property
    def _always_bytes(self):
        mapped = self.mapped_weights_bytes if self.locked else 0
        return self.own_weights_bytes + mapped + self.vocabulary_bytes + self.process_bytes + self.device_bytes

    @property
    def min_bytes(self):
        """Without this the server does not start. Buffers for loading are given back before those of the context are made."""
        return self._always_bytes + max(self.loading_bytes, self.kv_bytes + self.compute_bytes + self.output_bytes)

    @property
    def recommended_bytes(self):
        """With this it never reads weights again, and everything that grows has its place: a limit for a container."""
        mapped = 0 if self.locked else self.mapped_weights_bytes
        grows = self.checkpoints_bytes + self.cache_ram_bytes
        used = self.kv_bytes + self.compute_bytes + self.output_bytes
        return self._always_bytes + mapped + max(self.loading_bytes, used + grows)


def host_ram(model, allocation, devices, load_mode, unified, checkpoints, cache_ram_bytes):
    """The HostRam of an Allocation: C(checkpoints) for each slot, a prompt cache of C(cache_ram_bytes); C(unified): the GPUs share the RAM."""
    settings = allocation.settings
    own = own_bytes(model, allocation, devices, load_mode)
    one = checkpoint_bytes(model, settings)
    return HostRam(
        own_weights_bytes=own,
        mapped_weights_bytes=allocation.host.weights_bytes - own,
        locked=load_mode in LOCKED,
        kv_bytes=allocation.host.kv_bytes,
        compute_bytes=allocation.host.compute_bytes,
        output_bytes=output_bytes(model, max(settings.n_outputs, settings.n_seq_max)),
        vocabulary_bytes=vocabulary_bytes(model),
        process_bytes=process_bytes(devices),
        loading_bytes=loading_bytes(model, load_mode, devices),
        device_bytes=sum(buffers.total_bytes for device, buffers in zip(devices, allocation.devices, strict=True) if unified and not device.remote),
        checkpoint_bytes=one,
        checkpoints_bytes=one * checkpoints * settings.n_seq_max,
        cache_ram_bytes=cache_ram_bytes,
    )


def beside_bytes(model, slots, devices):
    """What the server takes beside llama.cpp's buffers on the host as soon as it runs."""
    return output_bytes(model, slots) + vocabulary_bytes(model) + process_bytes(devices)
