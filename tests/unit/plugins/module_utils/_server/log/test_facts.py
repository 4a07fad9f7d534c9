# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is read from logs of real servers, and from composed ones of GPUs that were not there."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.log import file
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import NAMES, read, text

MIB = 1024 * 1024


def mib(row):
    """The sizes of a row in MiB with the two decimals that the server logs."""
    return tuple(round(row[key] / MIB, 2) for key in ("weights_bytes", "kv_bytes", "compute_bytes"))


def devices(log):
    return {row["name"]: mib(row) for row in log["memory"]["devices"]}


def test_a_whole_log():
    log = read("vulkan")
    assert (log["read"], log["whole"], log["why_not"], log["build"], log["verbosity"]) == (True, True, None, "b11669-Debian", 4)
    assert log["devices"] == [
        {"name": "Vulkan0", "description": "llvmpipe (LLVM 22.1.8, 256 bits)", "pci_bus_id": None,
         "total_bytes": 24105 * MIB, "free_bytes": log["devices"][0]["free_bytes"], "used": True},
    ]  # fmt: skip
    assert log["layers"] == {"on_gpu": 5, "total": 5}
    assert log["context"] == {
        "slots": 4, "n_ctx": 4096, "n_ctx_seq": 4096, "n_seq_max": 4, "n_batch": 2048, "n_ubatch": 512, "kv_unified": True, "flash_attn": True,
        "cache_type_k": "f16", "cache_type_v": "f16",
    }  # fmt: skip
    assert devices(log) == {"Vulkan0": (8.89, 4.0, 13.51)}
    assert mib(log["memory"]["host"]) == (0.13, 0.0, 6.02)
    assert log["memory"]["host"]["weights_mapped"] is True
    assert log["model_loaded"] and log["failure"] is None and log["problems"] == []


@pytest.mark.parametrize("name, layers, on_devices, host", [
    ("vulkan_two_slots", (5, 5), {"Vulkan0": (8.89, 4.0, 11.51)}, (0.13, 0.0, 4.02)),
    ("vulkan_partial", (3, 5), {"Vulkan0": (4.51, 1.06, 12.5)}, (4.51, 1.06, 4.02)),
    ("vulkan_override", (5, 5), {"Vulkan0": (5.13, 4.0, 14.14)}, (3.89, 0.0, 6.02)),
    ("vulkan_flash_off", (5, 5), {"Vulkan0": (8.89, 4.0, 74.26)}, (0.13, 0.0, 10.26)),
    ("vulkan_no_layers", (0, 5), {"Vulkan0": (0.0, 0.0, 14.5)}, (9.01, 4.0, 6.02)),
    # It logs 'offloaded 5/5 layers to GPU'.
    ("vulkan_not_used", (0, 5), {}, (9.01, 4.0, 14.02)),
    ("vulkan_hidden", (0, None), {}, (9.01, 4.0, 14.02)),
    ("cpu_build", (0, None), {}, (9.01, 4.0, 14.02)),
    ("xllamacpp", (0, None), {}, (9.01, 4.0, 14.02)),
    ("vulkan_recurrent", (5, 5), {"Vulkan0": (6.81, 0.3, 6.07)}, (0.37, 0.0, 4.07)),
    ("vulkan_jsonl", (5, 5), {"Vulkan0": (8.89, 4.0, 13.51)}, (0.13, 0.0, 6.02)),
    ("vulkan_no_prefix", (5, 5), {"Vulkan0": (8.89, 4.0, 13.51)}, (0.13, 0.0, 6.02)),
    # The compute buffers are reserved twice: the last figure counts.
    ("cuda_two_gpus", (41, 41), {"CUDA0": (9020.31, 1344.0, 180.01), "CUDA1": (8925.77, 1216.0, 241.02)}, (525.0, 0.0, 42.02)),
    ("rocm", (33, 33), {"ROCm0": (4403.49, 2048.0, 560.0)}, (281.81, 0.0, 24.01)),
])  # fmt: skip
def test_layers_and_buffers(name, layers, on_devices, host):
    log = read(name)
    assert (log["layers"]["on_gpu"], log["layers"]["total"]) == layers
    assert devices(log) == on_devices
    assert mib(log["memory"]["host"]) == host


def test_the_default_verbosity_tells_nearly_nothing():
    log = read("vulkan_verbosity_3")
    assert (log["verbosity"], log["model_loaded"], log["context"]["slots"]) == (3, True, 4)
    assert (log["build"], log["devices"], log["layers"], log["memory"]) == (None, [], None, None)


@pytest.mark.parametrize("name, backends, seen", [
    ("vulkan_partial", ["Vulkan", "CPU"], {"Vulkan0": True}),
    ("vulkan_not_used", ["Vulkan", "CPU"], {"Vulkan0": False}),
    ("vulkan_hidden", ["Vulkan", "CPU"], {}),
    ("cpu_build", ["CPU"], {}),
    ("cuda_two_gpus", ["CUDA", "CPU"], {"CUDA0": True, "CUDA1": True}),
    ("cuda_driver_mismatch", ["CUDA", "CPU"], {}),
    ("cuda_backend_not_loaded", ["CPU"], {}),
])  # fmt: skip
def test_backends_and_devices(name, backends, seen):
    log = read(name)
    assert (log["backends"], {device["name"]: device["used"] for device in log["devices"]}) == (backends, seen)


def test_the_address_and_the_free_memory_of_a_gpu():
    assert [(device["pci_bus_id"], device["free_bytes"] // MIB) for device in read("cuda_two_gpus")["devices"]] == [
        ("0000:00:03.0", 22326),
        ("0000:00:04.0", 14150),
    ]


@pytest.mark.parametrize("name, flash, types", [
    ("vulkan_flash_off", False, ("f16", "f16")),
    ("vulkan_partial", True, ("q8_0", "q8_0")),
    ("rocm", False, (None, None)),
    ("cuda_two_gpus", True, ("f16", "f16")),
])  # fmt: skip
def test_flash_attention_as_it_was_decided(name, flash, types):
    context = read(name)["context"]
    assert (context["flash_attn"], (context["cache_type_k"], context["cache_type_v"])) == (flash, types)


def test_the_compute_buffer_of_a_projector_is_not_the_models(tmp_path):
    line = "alloc_compute_meta:    Vulkan0 compute buffer size =   266.00 MiB\n"
    path = tmp_path / "log"
    path.write_text(text("vulkan").replace("0.00.809.784 I srv  llama_server: model loaded", line + "0.00.809.784 I srv  llama_server: model loaded"))
    assert line in path.read_text()
    assert devices(report(file.read(str(path)))) == {"Vulkan0": (8.89, 4.0, 13.51)}


def test_every_log_is_read():
    for name in NAMES:
        log = read(name)
        assert log["read"] and log["whole"], name
        assert log["model_loaded"] is (log["memory"] is not None and log["failure"] is None) or name.endswith("verbosity_3"), name
