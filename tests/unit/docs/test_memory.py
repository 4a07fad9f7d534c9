# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every figure of docs/memory.md: weights and caches against the rules, compute buffers against what llama.cpp reports (tests/truth)."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.kinds import KINDS
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory import LLAMA_CPP
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import HOST, Device
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.checkpoints import PER_SLOT, checkpoint_bytes
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.loading import BUFFER_BYTES, DIRECT_BUFFER_BYTES
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.output import FLOAT_BYTES
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.process import DRIVER_BYTES, PROCESS_BYTES
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.ram import beside_bytes
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.host.vocabulary import TOKEN_BYTES
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.layout import layout
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import CACHE_TYPES, resolve
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.weights import EXPERTS, ROW_PADDING, placed_tensors
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.budget import DEFAULT_RESERVE_BYTES
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.host_memory import CACHE_RAM_BYTES
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.wishes import DEFAULT_RAM_RESERVE_BYTES
from ansible_collections.prositronic.infra.plugins.plugin_utils._units import human
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

ROOT = pathlib.Path(__file__).parents[3]
TEXT = " ".join((ROOT / "docs" / "memory.md").read_text(encoding="utf-8").split())
MIB = 1024**2

DEEPSEEK = "DeepSeek-V3.1-Q4_K_M.gguf"
CONTEXT, UBATCH = 32768, 512
EXAMPLE = {"ctx_size": CONTEXT, "parallel": 1, "cpu_moe": True}

FIGURE = re.compile(r"(?<![\w.,])\d[\d.,]* (?:B|[KMG]iB|[MG]B)\b")


def mib(size_bytes):
    return f"{size_bytes // MIB:,} MiB"


def cache_bytes(name, **settings):
    model = truth.model(name)
    return sum(families.cache(model, resolve(settings, model)))


def weights(group_of=None, **settings):
    """Bytes of the example's weights by device (0 and HOST), or by what C(group_of) says of a tensor."""
    model = truth.model(DEEPSEEK)
    devices = (Device("CUDA0", 22570 * MIB),)
    resolved = resolve({**EXAMPLE, **settings}, model)
    sizes = {}
    for device, size, group, _block in placed_tensors(model, resolved, devices, layout(model, resolved, devices)):
        key = group_of(group) if group_of else device
        sizes[key] = sizes.get(key, 0) + size
    return sizes


def part(group):
    """The row of the table of weights that a tensor belongs to."""
    name = group.name
    if not name.startswith("blk."):
        return "token embedding" if name == "token_embd.weight" else "output"
    if EXPERTS.search(name):
        return "experts"
    if "_norm." in name or ".ffn_gate_inp." in name or ".exp_probs_b." in name:
        return "routers and norms"
    if "shexp" in name:
        return "shared experts"
    return "attention" if ".attn_" in name else "dense feed-forward"


def blocks_with(wanted):
    return len({block for group in truth.model(DEEPSEEK).tensors if part(group) == wanted for block in group.blocks or ()})


def reported(where="device", **settings):
    """MiB of the compute buffer in the one row of tests/truth with these settings, else those of the example without cpu_moe."""
    wanted = {
        "ctx_size": CONTEXT, "flash_attn": "on", "cache_type_k": "f16", "ubatch_size": UBATCH, "parallel": 1, "gpu_layers": "all", "cpu_moe": False,
        "n_cpu_moe": 0, "kv_offload": True, "op_offload": True, "outputs": 1, **settings,
    }  # fmt: skip
    (row,) = (row for row in truth.rows()[DEEPSEEK] if len(row["devices"]) == 1 and all(row["settings"][key] == value for key, value in wanted.items()))
    return (row["expected"]["host"] if where == "host" else row["expected"]["devices"][0])["compute"]


def statements():
    """What the document must say, word for word."""
    yield f"(commit {LLAMA_CPP['commit']})"
    yield f"no multiple of {ROW_PADDING} elements"
    yield f"An element of f16 takes {CACHE_TYPES['f16'][1]} B. q8_0 takes {CACHE_TYPES['q8_0'][1]} B for {CACHE_TYPES['q8_0'][0]} elements, "
    yield f"q4_0 {CACHE_TYPES['q4_0'][1]} B."
    yield f"keeps {human(DEFAULT_RESERVE_BYTES)} on each GPU"
    yield f"With Vulkan it is {human(KINDS['vulkan'].unsure_bytes)} more"
    yield f"`llama_plan` keeps {human(DEFAULT_RAM_RESERVE_BYTES)} for the system"
    yield from chunks()
    yield f"(`--cache-ram`), up to {mib(CACHE_RAM_BYTES)} unless told otherwise"
    yield from ram()
    yield from caches()
    yield from cache_of_the_example()
    yield from weights_of_the_example()
    yield from compute_of_the_example()
    yield from together()


def ram():
    yield f"The output: {FLOAT_BYTES} B for each entry of the vocabulary"
    # measured of llama.cpp's own vocabularies, see vocabulary.py
    yield f"{TOKEN_BYTES} B for each token are enough; the largest that llama.cpp carries took 563 B while loading"
    yield f"The server itself: {mib(PROCESS_BYTES)}, and with a GPU another {mib(DRIVER_BYTES)} for"
    yield f"up to {PER_SLOT} for each slot (`--ctx-checkpoints`)"
    for name in ("Gemma-3-27B", "Qwen3-Next-80B-A3B", "Mamba-Codestral-7B", "Llama-3.1-8B", "DeepSeek-V3.1"):
        model = truth.model(f"{name}-Q4_K_M.gguf")
        one = checkpoint_bytes(model, resolve({"ctx_size": CONTEXT, "parallel": 4, "kv_unified": True}, model))
        yield f"| {name if one else 'Llama-3.1-8B, DeepSeek-V3.1'} | {mib(one)} | {mib(one * PER_SLOT * 4)} |"
    yield f"without it through four buffers of {mib(BUFFER_BYTES)} ({mib(DIRECT_BUFFER_BYTES)} and a little with direct I/O)"


def caches():
    for name in ("Llama-3.1-8B", "Gemma-3-27B", "DeepSeek-V3.1", "Qwen3-Next-80B-A3B", "Mamba-Codestral-7B"):
        file = f"{name}-Q4_K_M.gguf"
        model = truth.model(file)
        sizes = (
            cache_bytes(file, ctx_size=CONTEXT, parallel=1),
            cache_bytes(file, ctx_size=4 * CONTEXT, parallel=1),
            cache_bytes(file, ctx_size=4 * CONTEXT, parallel=4, kv_unified=True),
        )
        kind = families.kind(model)[0].__name__.rpartition(".")[2]
        kind = {"attention": "plain", "sliding_window": "sliding window"}.get(kind, kind)
        heads = f" x {model.per_layer('attention.head_count_kv')[0]} heads" if kind == "plain" else ""
        yield f"| {name} | {kind}, {model.n_layer_all} blocks{heads} | " + " | ".join(map(mib, sizes)) + " |"


def chunks():
    settings = {"ctx_size": CONTEXT, "flash_attn": "off", "parallel": 1, "ubatch_size": UBATCH, "gpu_layers": "all"}
    limit = KINDS["vulkan"].chunk_bytes
    whole, cut = (
        memory_query(truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), [{"free_mib": 80000, "chunk_bytes": each}], settings)["devices"][0]["compute_bytes"]
        for each in (None, limit)
    )
    yield f"A Vulkan device hands out {limit // 1024**3} GiB at most at once."
    yield f"Llama 3.1 8B with {CONTEXT:,} tokens and no flash attention {mib(cut)} in place of {whole // MIB:,}."


def cache_of_the_example():
    model = truth.model(DEEPSEEK)
    blocks, rank, rope = model.n_layer, model.integer("attention.kv_lora_rank"), model.integer("rope.dimension_count")
    row = rank + rope
    total = cache_bytes(DEEPSEEK, **EXAMPLE)
    assert total == blocks * row * 2 * CONTEXT
    q8_0 = row // 32 * 34
    total_q8_0 = cache_bytes(DEEPSEEK, **EXAMPLE, cache_type_k="q8_0", cache_type_v="q8_0")
    assert total_q8_0 == blocks * q8_0 * CONTEXT
    naive = 2 * blocks * model.n_embd * 2 * CONTEXT
    yield f"The model has {model.integer('attention.head_count')} heads in {blocks} blocks"
    yield f"one row of {rank} + {rope} = {row} elements"
    yield f"{blocks} x {row} x 2 B = {total // CONTEXT:,} B for each token x {CONTEXT:,} tokens = {total:,} B = {mib(total)}"
    yield f"{row} / 32 x 34 B = {q8_0} B, and the cache {mib(total_q8_0)}"
    yield f"2 x {blocks} x {model.n_embd:,} x 2 B x {CONTEXT:,} = {naive:,} B = {mib(naive)}"
    yield f"its {naive / MIB / 1000:.1f} GB: {naive / total:.1f} times too much"
    yield f"gave {naive / MIB / 1000:.1f} GB of VRAM used on a card of 24 GB"


def weights_of_the_example():
    model = truth.model(DEEPSEEK)
    by_part, by_device = weights(part), weights()
    for name, where in (("experts", "RAM"), ("attention", "GPU"), ("shared experts", "GPU"), ("dense feed-forward", "GPU"), ("routers and norms", "GPU")):
        yield f"| {name} | {blocks_with(name)} blocks | {mib(by_part[name])} | {where} |"
    yield f"| output | | {mib(by_part['output'])} | GPU |"
    yield f"| token embedding | | {mib(by_part['token embedding'])} | RAM |"
    yield f"| together | | {mib(sum(by_part.values()))} | GPU {mib(by_device[0])}, RAM {mib(by_device[HOST])} |"
    share = by_part["experts"] / sum(by_part.values())
    yield f"uses {model.n_expert_used} of {model.integer('expert_count')} experts, so {100 * share:.0f} in 100 of the weights"
    whole_layers = weights(gpu_layers=3, cpu_moe=False)[0]
    yield f"(`--gpu-layers 3`: the output and two blocks) already take {mib(whole_layers)}, and the other {model.n_layer_all - 2} are"
    yield f"All {model.n_layer_all + 1} layers are on the GPU"


def compute_of_the_example():
    model = truth.model(DEEPSEEK)
    on_gpu = reported(cpu_moe=True)
    largest = max((group for group in model.tensors if EXPERTS.search(group.name)), key=lambda group: group.size_bytes)
    assert (largest.name, largest.type) == ("blk.*.ffn_down_exps.weight", "Q6_K")
    heads = model.integer("attention.head_count")
    yield f"llama.cpp reports {on_gpu:,} MiB on the GPU."
    yield f"the `down` experts of one block in Q6_K, has {mib(largest.size_bytes)}; the other {on_gpu - largest.size_bytes // MIB} MiB are activations"
    yield f"With `--no-op-offload` it is {reported(cpu_moe=True, op_offload=False)} MiB. On the host it is {reported('host', cpu_moe=True)} MiB."
    yield f"reports {reported()} MiB with it and {reported(flash_attn='off'):,} MiB without"
    yield f"4 B x {heads} x {UBATCH} x {CONTEXT:,} = {mib(4 * heads * UBATCH * CONTEXT)}"
    yield f"llama.cpp takes {reported(gpu_layers=0):,} MiB of it for staging"
    yield "each token of the micro-batch and each cell 2 B (4 B without flash attention)"
    yield "score of each token with each cell, 4 B."


def together():
    by_device = weights()
    kv, gpu, host = cache_bytes(DEEPSEEK, **EXAMPLE) // MIB, reported(cpu_moe=True), reported("host", cpu_moe=True)
    on_gpu = by_device[0] // MIB + kv + gpu
    in_ram = by_device[HOST] // MIB + host + CACHE_RAM_BYTES // MIB
    l4 = yaml.safe_load((ROOT / "examples/demo/inventory/host_vars/l4-24gb.yml").read_text(encoding="utf-8"))["llama_server_node"]["devices"][0]
    total, free, reserve = (size // MIB for size in (l4["memory_total_bytes"], l4["memory_free_bytes"], DEFAULT_RESERVE_BYTES))
    yield f"| weights | {mib(by_device[0])} | {mib(by_device[HOST])} |"
    yield f"| cache | {kv:,} MiB | 0 MiB |"
    yield f"| compute | {gpu:,} MiB | {host:,} MiB |"
    yield f"| prompt cache, at most | | {mib(CACHE_RAM_BYTES)} |"
    yield f"| together | {on_gpu:,} MiB | {in_ram:,} MiB |"
    yield f"sold with 24 GB. Its driver reports {total:,} MiB, of which some {free:,} MiB are free"
    yield f"Less a reserve of {reserve:,} MiB that is {free - reserve:,} MiB, so {free - reserve - on_gpu:,} MiB are left over"
    whole = in_ram * MIB + beside_bytes(truth.model(DEEPSEEK), 1, (Device("CUDA0", 22570 * MIB),))
    yield f"the machine wants {in_ram:,} MiB = {human(in_ram * MIB)} of RAM for these, with the server itself {human(whole)}, and what the system needs"
    assert whole + DEFAULT_RAM_RESERVE_BYTES < 384 * 1024 * MIB
    yield "A machine of 384 GiB would be the smallest."


@pytest.mark.parametrize("statement", list(statements()))
def test_the_document_says(statement):
    assert statement.strip() in TEXT


def test_no_figure_is_left_unchecked():
    rest = TEXT
    for statement in statements():
        rest = rest.replace(statement.strip(), "")
    assert FIGURE.findall(rest) == []
    assert len(FIGURE.findall(TEXT)) > 60
