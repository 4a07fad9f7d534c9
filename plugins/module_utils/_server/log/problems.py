# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a log says went wrong, as codes with a sentence. Private: not an interface for other collections.

The order of the table is that of causes: what stands further up explains what stands below it. Each row names where its text comes from.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.sizes import human, host_or_device

MOST_PROBLEMS = 20
LONGEST = 300


class Kind(NamedTuple):
    """C(fatal): a server with this problem does not serve, unless it says later on that it does."""

    code: str
    fatal: bool
    pattern: re.Pattern
    message: str


def _kind(code, fatal, pattern, message):
    return Kind(code, fatal, re.compile(pattern), message)


KINDS = (
    # common/arg.cpp
    _kind("unknown_argument", True, r"error: invalid argument: (.{1,200})", "this llama-server does not know the argument {0}"),
    _kind("refused_argument", True, r'error while handling (?:argument|environment variable) "(.{1,100}?)": (?:error: )?(.{1,200})',
          "llama-server refuses the value of {0}: {1}"),
    # tools/server/server-http.cpp
    _kind("port_taken", True, r".*couldn't bind HTTP server socket, hostname: (\S{1,200}), port: (\d{1,9})",
          "the server can't listen on {0} port {1}: the port is taken, or the address is not of this machine"),
    # the container engines
    _kind("cdi_device_missing", True, r".*(?:unresolvable CDI devices|failed to inject devices: unresolvable) ?(.{0,200})",
          "the container engine does not know the CDI device {0}"),
    _kind("cdi_device_missing", True, r".*(?:setting up CDI devices|CDI device injection failed): (.{1,200})", "the container engine can't give the CDI device: {0}"),
    _kind("no_gpu_runtime", True, r".*could not select device driver (.{1,200})", "Docker has no driver for GPUs: {0}"),
    _kind("driver_mismatch", True, r".*(Driver/library version mismatch)", "the NVIDIA driver's libraries and its kernel module are of different versions"),
    _kind("no_gpu_runtime", True, r".*nvidia-container-cli: (.{1,200})", "NVIDIA's container runtime can't give the GPU: {0}"),
    _kind("image_missing", True, r".*Error: (?:initializing source|unable to copy from source|short-name resolution) ?(.{1,200})", "the image can't be fetched: {0}"),
    _kind("image_missing", True, r".*Error: (.{1,200}: image not known)", "the image is not on the node: {0}"),
    _kind("port_taken", True, r".*(?:rootlessport |cannot expose |failed to bind )(.{1,200}address already in use)", "the port is taken: {0}"),
    # systemd
    _kind("killed_for_memory", True, r".*Failed with result 'oom-kill'|.*killed by the OOM killer|.*OOM killer", "the server was killed: the RAM, or its limit, did not suffice"),
    _kind("program_missing", True, r".*Failed at step EXEC spawning (.{1,200})", "the program can't be started: {0}"),
    # ggml/src/ggml-cuda/ggml-cuda.cu: ggml_cuda_init
    _kind("driver_mismatch", False,
          r".*failed to initialize (?:CUDA|ROCm): (system has unsupported display driver / cuda driver combination|forward compatibility was attempted.{0,80}"
          r"|CUDA driver version is insufficient.{0,80})",
          "the CUDA libraries of the server's build don't go with the node's driver: {0}"),
    _kind("no_device_found", False, r".*failed to initialize (CUDA|ROCm): (no (?:CUDA|ROCm)-capable device is detected)", "{0} sees no GPU: {1}"),
    _kind("gpu_not_ready", False, r".*failed to initialize (CUDA|ROCm): (.{1,200})", "{0} can't be used: {1}"),
    _kind("no_device_found", False, r"ggml_vulkan: (No devices found)", "Vulkan sees no GPU: {0}"),
    _kind("no_device_found", False, r"ggml_cuda_init: found (0) (?:CUDA|ROCm) devices", "the backend sees {0} GPUs"),
    # ggml/src/ggml-backend-reg.cpp; silent in builds for release
    _kind("backend_not_loaded", False, r"\w{1,40}: failed to load (\S{1,200}): (.{1,200})", "the backend {0} can't be loaded: {1}"),
    _kind("backend_not_loaded", False, r"\w{1,40}: failed to initialize backend from (\S{1,200}): (.{1,200})", "the backend {0} can't be used: {1}"),
    # common/arg.cpp
    _kind("no_usable_gpu", False, r"warning: (no usable GPU found)", "llama-server found no GPU, so everything is on the CPU"),
    # ggml/src/ggml-cuda/ggml-cuda.cu, ggml/src/ggml-alloc.c, ggml/src/ggml-backend.cpp, ggml/src/ggml-vulkan/ggml-vulkan.cpp, src/llama-model.cpp
    _kind("out_of_memory", True, r".*allocating (\d{1,12}\.\d\d MiB) on device (\d{1,4}): cudaMalloc failed: out of memory",
          "GPU {1} has too little memory free for {0}"),
    _kind("out_of_memory", True, r"\w{1,80}: failed to allocate (\S{1,80}) buffer of size (\d{1,18})", "out_of_memory"),
    _kind("out_of_memory", True, r".*unable to allocate (\S{1,80}) buffer", "{0} has too little memory free"),
    _kind("out_of_memory", True, r".*(?:CUDA|ROCm) error: (out of memory)", "a GPU ran {0}"),
    # src/llama-model-loader.cpp, ggml/src/gguf.cpp
    _kind("model_missing", True, r".*failed to open GGUF file '(.{1,200})' \((.{1,100})\)", "the model {0} can't be opened: {1}"),
    _kind("model_damaged", True, r".*error loading model: (.{0,200}(?:corrupted or incomplete|not within the file bounds).{0,100})", "the model's file is damaged or incomplete: {0}"),
    _kind("model_damaged", True, r"gguf_init_from_\w{1,20}: (invalid magic.{1,200})", "the model's file is no GGUF: {0}"),
    _kind("model_unknown", True, r".*error loading model: .{0,100}(unknown model architecture: .{1,100})", "this llama.cpp can't run the model: {0}"),
    _kind("model_not_loaded", True, r".*error loading model: (.{1,200})", "the model can't be loaded: {0}"),
    # src/llama-context.cpp: llama_init_from_model
    _kind("context_not_made", True, r"llama_init_from_model: (?:failed to initialize the context: )?(.{1,200})", "the context can't be made: {0}"),
    # ggml/src/ggml.c: ggml_abort; ggml-cuda.cu: ggml_cuda_error; ggml-vulkan.cpp
    _kind("gpu_failed", True, r".*(ggml_vulkan: device lost.{0,200}|(?:CUDA|ROCm) error: .{1,200})", "the GPU failed: {0}"),
    _kind("aborted", True, r"\S{0,200}?([\w.-]{1,80}\.(?:cpp|cu|c|m|h|cuh):\d{1,6}: .{1,200})", "llama.cpp stopped itself at {0}"),
    # src/llama-context.cpp: resolve_fused_ops
    _kind("flash_attention_off", False, r"\w{1,80}: layer (\d{1,6}) is assigned to device (\S{1,40}) but (?:Flash Attention|the Flash Attention tensor) is assigned to device (\S{1,40})",
          "flash attention was switched off: {1} can't compute it, layer {0} would use {2}"),
    # common/fit.cpp
    _kind("fit_failed", False, r".*encountered an error while trying to fit params to free device memory: (.{1,200})", "--fit gave up: {0}"),
    # tools/server/server.cpp
    _kind("not_started", True, r".*exiting due to (.{1,100} error)$", "the server ended by a {0}"),
)  # fmt: skip

_LOADED = re.compile(r"srv +llama_server: model loaded$|main: model loaded$")


def problems(lines):
    """([{code, message}] in the order of the log, the sentence of what most likely keeps the server from serving or None)."""
    found = {}
    failure = None
    for line in lines:
        if _LOADED.match(line.text):
            failure = None
            continue
        rank, problem = _problem(line.text)
        if problem is None:
            continue
        found.setdefault((problem["code"], problem["message"]), problem)
        if KINDS[rank].fatal and (failure is None or rank < failure[0]):
            failure = (rank, problem["message"])
    return list(found.values())[:MOST_PROBLEMS], None if failure is None else failure[1]


def _problem(text):
    for rank, kind in enumerate(KINDS):
        match = kind.pattern.match(text)
        if match:
            return rank, {"code": kind.code, "message": _message(kind, [part.strip() for part in match.groups()])}
    return None, None


def _message(kind, parts):
    if kind.message == "out_of_memory":
        buffer, size = parts
        return f"{host_or_device(buffer)} has too little memory free for a buffer of {human(int(size))}"
    return kind.message.format(*parts)[:LONGEST]
