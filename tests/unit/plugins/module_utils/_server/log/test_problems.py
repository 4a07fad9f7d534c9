# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The reason in a log is the one nearest to the cause, and a server that serves has none."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.lines import lines
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.problems import problems
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import NAMES, read

FAILURES = {
    "unknown_argument": "this llama-server does not know the argument --no-such-flag",
    "refused_argument": "llama-server refuses the value of --flash-attn: unknown value for --flash-attn: 'maybe'",
    "unknown_device": "llama-server refuses the value of --device: invalid device: Vulkan7",
    "no_key_file": "llama-server refuses the value of --api-key-file: failed to open file '/m/none'",
    "model_missing": "the model /m/none.gguf can't be opened: No such file or directory",
    "model_cut": "the model's file is damaged or incomplete: tensor 'blk.1.ffn_gate.weight' data is not within the file bounds, "
    "model is corrupted or incomplete",
    "model_no_gguf": "the model's file is no GGUF: invalid magic characters: 'XXXX', expected 'GGUF'",
    "port_taken": "the server can't listen on 127.0.0.1 port 18090: the port is taken, or the address is not of this machine",
    "out_of_memory_gpu": "GPU Vulkan0 has too little memory free for a buffer of 4.8 GiB",
    "out_of_memory_host": "the host has too little memory free for a buffer of 38.1 GiB",
    "cuda_out_of_memory": "GPU 0 has too little memory free for a buffer of 17946.08 MiB",
    "quantized_cache_without_flash_attention": "the context can't be made: quantized V cache requires flash_attn to be enabled",
    "aborted": "llama.cpp stopped itself at ggml-backend.cpp:1089: pre-allocated tensor (cache_k_l0) in a buffer (Vulkan0) "
    "that cannot run the operation (NONE)",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_failure_of_each_log(name):
    assert read(name)["failure"] == FAILURES.get(name)


@pytest.mark.parametrize("name, codes", [
    ("cuda_driver_mismatch", ["driver_mismatch", "no_usable_gpu"]),
    ("cuda_no_device", ["no_device_found", "no_usable_gpu"]),
    ("cpu_build", ["no_usable_gpu"]),
    ("rocm", ["flash_attention_off"]),
    ("model_missing", ["model_missing", "model_not_loaded", "fit_failed", "not_started"]),
])  # fmt: skip
def test_the_problems_of_a_log(name, codes):
    assert [problem["code"] for problem in read(name)["problems"]] == codes


# What others write into the same journal. The texts are from public reports.
@pytest.mark.parametrize("line, failure", [
    ("Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=0", "the container engine does not know the CDI device nvidia.com/gpu=0"),
    ('docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]].',
     'Docker has no driver for GPUs: "" with capabilities: [[gpu]].'),
    ("nvidia-container-cli: initialization error: nvml error: driver/library version mismatch",
     "NVIDIA's container runtime can't give the GPU: initialization error: nvml error: driver/library version mismatch"),
    ("Error: localhost/llama:none: image not known", "the image localhost/llama:none is not on the node"),
    ("llama.service: Failed with result 'oom-kill'.", "the server was killed: the RAM, or its limit, did not suffice"),
    ("llama.service: Failed at step EXEC spawning /usr/bin/llama-server: No such file or directory",
     "the program can't be started: /usr/bin/llama-server: No such file or directory"),
    ("0.00.1 E llama_model_load_from_file_impl: no backends are loaded. hint: use ggml_backend_load() or ggml_backend_load_all()",
     "llama.cpp finds none of its backends' libraries, not even that for the CPU"),
    ("CUDA error: out of memory", "a GPU ran out of memory"),
    ("CUDA error: an illegal memory access was encountered", "the GPU failed: CUDA error: an illegal memory access was encountered"),
    ("llama_model_load: error loading model: error loading model architecture: unknown model architecture: 'qwen9'",
     "this llama.cpp can't run the model: unknown model architecture: 'qwen9'"),
    ("/src/ggml/src/ggml-cuda/ggml-cuda.cu:100: GGML_ASSERT(x) failed", "llama.cpp stopped itself at ggml-cuda.cu:100: GGML_ASSERT(x) failed"),
    ("the model said: error loading the dishwasher", None),
])  # fmt: skip
def test_lines_of_others(line, failure):
    assert problems(lines(line.encode()))[1] == failure


def test_what_was_before_the_model_was_loaded_is_no_failure():
    log = b"E alloc: failed to allocate CUDA0 buffer of size 1048576\nsrv  llama_server: model loaded\n"
    assert problems(lines(log)) == ([{"code": "out_of_memory", "message": "GPU CUDA0 has too little memory free for a buffer of 1 MiB"}], None)
    assert problems(lines(log + log[:57]))[1] == "GPU CUDA0 has too little memory free for a buffer of 1 MiB"
