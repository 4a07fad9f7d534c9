# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One question about memory, plain values in and out."""

from __future__ import annotations

from .._model import model_from_plain
from .._options import Option, check_option
from .devices import devices_from_plain
from .host.checkpoints import checkpoint_bytes
from .host.output import output_bytes
from .host.vocabulary import vocabulary_bytes
from .memory import allocate
from .settings import resolve


def memory_query(model_plain, devices_plain, settings_plain):
    """C({devices: [...], host: {...}}) with the bytes of every buffer, for plain dictionaries of all three.

    The host also has what its total leaves out, as llama.cpp's does: output, vocabulary and one context checkpoint.
    """
    model = model_from_plain(model_plain)
    devices = devices_from_plain(check_option(devices_plain, Option("dicts"), "devices") or [])
    settings = resolve(settings_plain, model)
    allocation = allocate(model, settings, devices)
    return {
        "devices": [_plain(device.name, buffers) for device, buffers in zip(devices, allocation.devices, strict=True)],
        "host": {
            **_plain("host", allocation.host),
            "output_bytes": output_bytes(model, max(settings.n_outputs, settings.n_seq_max)),
            "vocabulary_bytes": vocabulary_bytes(model),
            "checkpoint_bytes": checkpoint_bytes(model, settings),
        },
    }


def _plain(name, buffers):
    return {
        "name": name,
        "weights_bytes": buffers.weights_bytes,
        "kv_bytes": buffers.kv_bytes,
        "compute_bytes": buffers.compute_bytes,
        "total_bytes": buffers.total_bytes,
    }
