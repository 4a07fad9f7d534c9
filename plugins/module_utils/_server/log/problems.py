# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a log says went wrong, as codes with a sentence. Private: not an interface for other collections.

The order of the table is that of causes: what stands further up explains what stands below it. Each row names where its text comes from.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.sizes import host_or_device, human

MOST_PROBLEMS = 20
LONGEST = 300


class Kind(NamedTuple):
    """C(fatal): a server with this problem does not serve, unless it says later on that it does. C(hint) must be in a line for the pattern to be tried."""

    code: str
    fatal: bool
    hint: str
    pattern: re.Pattern
    message: str


def _ends(code, hint, pattern, message):
    return Kind(code, True, hint, re.compile(pattern), message)


def _goes_on(code, hint, pattern, message):
    return Kind(code, False, hint, re.compile(pattern), message)


OF_ARGUMENTS = (
    # common/arg.cpp
    _ends("unknown_argument", "error: invalid argument: ", r"^error: invalid argument: (.{1,200})", "this llama-server does not know the argument {0}"),
    _ends(
        "refused_argument",
        "error while handling ",
        r'^error while handling (?:argument|environment variable) "(.{1,100}?)": (?:error: )?(.{1,200})',
        "llama-server refuses the value of {0}: {1}",
    ),
    # tools/server/server-http.cpp
    _ends(
        "port_taken",
        "couldn't bind HTTP server socket",
        r"couldn't bind HTTP server socket, hostname: (\S{1,200}), port: (\d{1,9})",
        "the server can't listen on {0} port {1}: the port is taken, or the address is not of this machine",
    ),
)

OF_KEEPERS = (
    # containers/podman: vendor/tags.cncf.io/container-device-interface; moby: daemon/devices.go; libnvidia-container
    _ends("cdi_device_missing", "unresolvable CDI devices", r"unresolvable CDI devices (.{1,200})", "the container engine does not know the CDI device {0}"),
    _ends("cdi_device_missing", "CDI device", r"(?:setting up CDI devices|CDI device injection failed): (.{1,200})", "the GPU can't be given by CDI: {0}"),
    _ends("no_gpu_runtime", "could not select device driver", r"could not select device driver (.{1,200})", "Docker has no driver for GPUs: {0}"),
    _ends(
        "driver_mismatch",
        "Driver/library version mismatch",
        r"(Driver/library version mismatch)",
        "the libraries of NVIDIA's driver and its kernel module are of different versions",
    ),
    _ends("no_gpu_runtime", "nvidia-container-cli: ", r"nvidia-container-cli: (.{1,200})", "NVIDIA's container runtime can't give the GPU: {0}"),
    _ends("image_missing", "Error: initializing source ", r"Error: initializing source (.{1,200})", "the image can't be fetched: {0}"),
    _ends("image_missing", ": image not known", r"Error: (.{1,200}): image not known", "the image {0} is not on the node"),
    _ends("port_taken", "address already in use", r"(.{1,200}address already in use)", "the port is taken: {0}"),
    # systemd
    _ends("killed_for_memory", "oom-kill", r"Failed with result ('oom-kill')", "the server was killed: the RAM, or its limit, did not suffice"),
    _ends("killed_for_memory", "OOM killer", r"killed by the (OOM killer)", "the server was killed: the RAM, or its limit, did not suffice"),
    _ends("program_missing", "Failed at step EXEC ", r"Failed at step EXEC spawning (.{1,200})", "the program can't be started: {0}"),
)

OF_GPUS = (
    # ggml/src/ggml-cuda/ggml-cuda.cu: ggml_cuda_init. The texts are CUDA's for its errors 803, 804 and 35.
    _goes_on(
        "driver_mismatch",
        ": failed to initialize ",
        r": failed to initialize (?:CUDA|ROCm): ((?:system has unsupported display driver|forward compatibility|.{0,20}driver version is insufficient).{0,80})",
        "the CUDA libraries of the server's build don't go with the node's driver: {0}",
    ),
    _goes_on(
        "no_device_found",
        "-capable device is detected",
        r": failed to initialize (CUDA|ROCm): (no \w{1,10}-capable device is detected)",
        "{0} sees no GPU: {1}",
    ),
    _goes_on("gpu_not_ready", ": failed to initialize ", r": failed to initialize (CUDA|ROCm): (.{1,200})", "{0} can't be used: {1}"),
    _goes_on("no_device_found", "ggml_vulkan: No devices found", r"(ggml_vulkan: No devices found)", "Vulkan sees no GPU"),
    # ggml/src/ggml-backend-reg.cpp; silent in builds for release
    _goes_on("backend_not_loaded", ": failed to load ", r"^\w{1,40}: failed to load (\S{1,200}): (.{1,200})", "the backend {0} can't be loaded: {1}"),
    _goes_on(
        "backend_not_loaded",
        "failed to initialize backend from ",
        r": failed to initialize backend from (\S{1,200}): (.{1,200})",
        "the backend {0} can't be used: {1}",
    ),
    # common/arg.cpp
    _goes_on("no_usable_gpu", "no usable GPU found", r"^warning: (no usable GPU found)", "llama-server found no GPU, so everything is on the CPU"),
    # ggml/src/ggml-cuda/ggml-cuda.cu, ggml/src/ggml-alloc.c and ggml-backend.cpp, src/llama-model.cpp
    _ends(
        "out_of_memory",
        "cudaMalloc failed: out of memory",
        r"allocating (\d{1,12}\.\d\d MiB) on device (\d{1,4}): cudaMalloc failed: out of memory",
        "GPU {1} has too little memory free for a buffer of {0}",
    ),
    _ends(
        "out_of_memory",
        ": failed to allocate ",
        r": failed to allocate (\S{1,80}) buffer of size (\d{1,18})",
        "{0} has too little memory free for a buffer of {1}",
    ),
    _ends("out_of_memory", "unable to allocate ", r"unable to allocate (\S{1,80}) buffer", "{0} has too little memory free"),
    _ends("out_of_memory", " error: out of memory", r"(?:CUDA|ROCm) error: (out of memory)", "a GPU ran {0}"),
)

OF_MODELS = (
    # ggml/src/gguf.cpp, src/llama-model-loader.cpp, src/llama.cpp
    _ends("model_missing", "failed to open GGUF file ", r"failed to open GGUF file '(.{1,200})' \((.{1,100})\)", "the model {0} can't be opened: {1}"),
    _ends(
        "model_damaged",
        "corrupted or incomplete",
        r"error loading model: (.{1,200}corrupted or incomplete)",
        "the model's file is damaged or incomplete: {0}",
    ),
    _ends("model_damaged", ": invalid magic", r"^gguf_init_from_\w{1,20}: (invalid magic.{1,200})", "the model's file is no GGUF: {0}"),
    _ends("model_unknown", "unknown model architecture", r"(unknown model architecture: .{1,100})", "this llama.cpp can't run the model: {0}"),
    _ends("no_backend", "no backends are loaded", r"(no backends are loaded)", "llama.cpp finds none of its backends' libraries, not even that for the CPU"),
    _ends("model_not_loaded", "error loading model: ", r"error loading model: (.{1,200})", "the model can't be loaded: {0}"),
    # src/llama-context.cpp: llama_init_from_model
    _ends(
        "context_not_made",
        "llama_init_from_model: ",
        r"^llama_init_from_model: (?:failed to initialize the context: )?(.{1,200})",
        "the context can't be made: {0}",
    ),
)

OF_THE_REST = (
    # ggml-cuda.cu: ggml_cuda_error; ggml-vulkan.cpp; ggml/src/ggml.c: ggml_abort
    _ends("gpu_failed", "ggml_vulkan: device lost", r"(ggml_vulkan: device lost.{0,200})", "the GPU failed: {0}"),
    _ends("gpu_failed", " error: ", r"^((?:CUDA|ROCm) error: .{1,200})", "the GPU failed: {0}"),
    _ends("aborted", ".cpp:", r"(?:^|[/\s])([\w-]{1,80}\.cpp:\d{1,6}: .{1,200})", "llama.cpp stopped itself at {0}"),
    _ends("aborted", ".c:", r"(?:^|[/\s])([\w-]{1,80}\.c:\d{1,6}: .{1,200})", "llama.cpp stopped itself at {0}"),
    _ends("aborted", ".cu:", r"(?:^|[/\s])([\w-]{1,80}\.cu:\d{1,6}: .{1,200})", "llama.cpp stopped itself at {0}"),
    # src/llama-context.cpp: resolve_fused_ops
    _goes_on(
        "flash_attention_off",
        " but Flash Attention is assigned to device ",
        r": layer (\d{1,6}) is assigned to device (\S{1,40}) but Flash Attention is assigned to device (\S{1,40})",
        "flash attention was switched off: layer {0} is on {1}, which leaves it to {2}",
    ),
    # common/fit.cpp
    _goes_on(
        "fit_failed",
        "while trying to fit params",
        r"encountered an error while trying to fit params to free device memory: (.{1,200})",
        "--fit gave up: {0}",
    ),
    # tools/server/server.cpp
    _ends("not_started", ": exiting due to ", r": exiting due to (.{1,100}) error$", "the server ended by an error: {0}"),
)

KINDS = OF_ARGUMENTS + OF_KEEPERS + OF_GPUS + OF_MODELS + OF_THE_REST

_LOADED = re.compile(r"(?:srv +\w+|main): model loaded$")


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
        match = kind.pattern.search(text) if kind.hint in text else None
        if match:
            return rank, {"code": kind.code, "message": kind.message.format(*_parts(kind, match.groups()))[:LONGEST]}
    return None, None


def _parts(kind, parts):
    """The parts of a line for a person: a buffer is of the host or of a GPU, and a size has a unit."""
    parts = [part.strip() for part in parts]
    if kind.message.startswith("{0} has too little"):
        return [host_or_device(parts[0]), *(human(int(part)) for part in parts[1:])]
    return parts
