# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is different about a device that llama.cpp reaches by RPC. Everything else is as its server's own backend has it.

  It comes before the devices of the machine itself, in the order of --rpc, and a server's devices in that of its --device
    (src/llama.cpp: llama_prepare_model_devices; ggml-rpc.cpp: ggml_backend_rpc_add_server).
  It says that it has events and works asynchronously, whatever its backend has, so it takes part in pipeline parallelism (get_props).
  It has no pinned memory for the host. The host's compute buffer would be that of the first device (src/llama-context.cpp), so it is a plain one.
  It takes no weights in RAM for a large batch: it has no offload_op.
  It says of every operation that it can do it (supports_op), so what its backend can't do is not left to the CPU: the server ends. A device of the
    machine itself refuses what lies on another of its own kind only, and so not what lies there (ggml-cuda.cu: supports_op).
  Alignment, padding, scratch and the largest buffer are those of its backend: the server is asked (get_alignment, get_alloc_size, get_max_size).
  Its memory is what its backend says is free on the server (get_device_memory); --mem of earlier builds is gone (tools/rpc/rpc-server.cpp).

Source: ggml/src/ggml-rpc/ggml-rpc.cpp unless another is named.
"""

from __future__ import annotations


def remote_numbers(devices):
    """The numbers of the devices that are reached by RPC."""
    return frozenset(number for number, device in enumerate(devices) if device.remote)


def pinned_by(devices):
    """The device whose pinned memory holds the host's compute buffer, None for plain memory."""
    return devices[0] if devices and not devices[0].remote else None
