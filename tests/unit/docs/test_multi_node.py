# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of docs/multi_node.md."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._memory import LLAMA_CPP
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.team import MOST_DEVICES
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node.wire import SERVER_SECONDS
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.multi_node.teams import GIB, node, planned

TEXT = (pathlib.Path(__file__).parents[3] / "docs" / "multi_node.md").read_text(encoding="utf-8")
LARGEST = {"gpus": [{"model": "nvidia-h200", "memory_total_bytes": 1024 * GIB, "memory_free_bytes": 1024 * GIB}], "ram_bytes": 64 * GIB}
MIB = 1024**2


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Gemma-3-27B", "GLM-4.5-Air", "DeepSeek-V3.1"])
def test_what_goes_over_the_network(name):
    short, long = (planned(f"{name}-Q4_K_M.gguf", {"a": LARGEST, "b": LARGEST}, ctx_size=size)["multi_node"]["wire"] for size in (16384, 131072))
    row = f"| {name} | {short['bytes_per_token'] / 1024:.0f} KiB | {long['bytes_per_token'] / 1024:.0f} KiB | {short['bytes_per_ubatch'] / MIB:.1f} MiB |"
    assert short["bytes_per_ubatch"] == long["bytes_per_ubatch"]
    assert row in TEXT, row


def deepseek(link):
    host = {"ram": {"bytes": 192 * GIB, "type": "ddr5-4800", "channels": 8}}
    return planned("DeepSeek-V3.1-Q4_K_M.gguf", {"l4": node("nvidia-l4", ram_gib=64), "h1": host, "h2": host}, link=link, ctx_size=32768)


def test_the_layers_of_the_example():
    made = deepseek(1.18e9)
    for row, layers, what in zip(made["memory"]["devices"], made["placement"]["layers_per_gpu"], ("the first host", "the second", "the L4"), strict=True):
        figures = " | ".join(f"{row[part] // MIB:,} MiB" for part in ("weights_bytes", "kv_bytes", "compute_bytes"))
        assert f"| {row['name']}, {what} | {layers} | {figures} |" in TEXT, figures


@pytest.mark.parametrize(("name", "link"), [("100 Mbit/s", 11.8e6), ("1 Gbit/s", 118e6), ("10 Gbit/s", 1.18e9)])
def test_the_speed_of_the_example(name, link):
    made = deepseek(link)
    decode, prefill = (made["throughput"][what]["tokens_per_second_expected"] for what in ("decode", "prefill"))
    row = f"| {name} | {decode:g} | {prefill:g} | {made['multi_node']['wire']['load_seconds'] / 60:.0f} minutes |"
    assert row in TEXT, row


def test_constants():
    assert f"(round trip + {SERVER_SECONDS * 1000:g} ms)" in TEXT
    assert f"At most {MOST_DEVICES} devices" in TEXT
    assert f"commit {LLAMA_CPP['commit']}" in TEXT
