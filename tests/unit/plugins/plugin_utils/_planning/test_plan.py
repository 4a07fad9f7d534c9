# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
DENSE = "Llama-3.1-8B-Q4_K_M.gguf"
MOE = "Qwen3-30B-A3B-Q4_K_M.gguf"
LARGE = "GLM-4.5-Air-Q4_K_M.gguf"


def planned(name, node, **wishes):
    return plan(truth.plain(name), node, wishes)


def test_all_layers_and_the_whole_context_where_there_is_room(facts):
    got = planned(DENSE, facts(24))
    assert got["fits"]
    assert got["placement"] == {
        "gpu_layers": 33,
        "layers_total": 33,
        "layers_per_gpu": [33],
        "all_on_gpu": True,
        "blocks_partly_in_ram": 0,
        "n_cpu_moe": 0,
        "override_tensor": [],
        "split_mode": "layer",
        "main_gpu": 0,
        "tensor_split": None,
    }
    assert (got["missing"], got["would_help"]) == ({"to_run": [], "for_all_on_gpu": [], "largest_quantization": None}, [])
    assert got["context"]["ctx_size"] == 131072


def test_the_context_is_reduced_before_layers_are_left_behind(facts):
    got = planned(DENSE, facts(8))
    assert got["placement"]["gpu_layers"] == 33
    assert 4096 < got["context"]["ctx_size"] < 131072
    assert got["placement"]["override_tensor"] == []
    more = planned(DENSE, facts(8), ctx_size=got["context"]["ctx_size"] + 256, cache_types=["f16"])
    assert more["memory"]["host"]["weights_bytes"] > got["memory"]["host"]["weights_bytes"]


def test_the_context_asked_for_is_kept_and_layers_are_left_behind(facts):
    got = planned(DENSE, facts(8), ctx_size=65536)
    assert got["fits"]
    assert got["context"]["ctx_size"] == 65536
    assert 0 < got["placement"]["gpu_layers"] < 33


def test_no_more_layers_would_fit(facts):
    node = facts(8)
    got = planned(DENSE, node, ctx_size=65536)
    layers = got["placement"]["gpu_layers"]
    assert not planned(DENSE, node, ctx_size=65536, gpu_layers=layers + 1)["fits"]


def test_experts_stay_in_ram_before_layers_do(facts):
    got = planned(MOE, facts(8), cache_types="f16", ubatch_size=512, ctx_size=16384)
    assert got["fits"]
    assert got["placement"]["gpu_layers"] == 49
    assert 0 < got["placement"]["blocks_partly_in_ram"] < 48
    assert "stay in RAM: more don't fit" in got["reasons"][0]
    args = got["server"]["args"]
    pairs = dict(zip(args, [*args[1:], None], strict=True))
    assert pairs.get("--n-cpu-moe") == (str(got["placement"]["n_cpu_moe"]) if got["placement"]["n_cpu_moe"] else None)
    assert pairs.get("--override-tensor") == (",".join(got["placement"]["override_tensor"]) or None)
    asked = {"ctx_size": got["context"]["ctx_size"], "n_cpu_moe": got["placement"]["n_cpu_moe"], "override_tensor": got["placement"]["override_tensor"]}
    same = memory_query(truth.plain(MOE), [{"free_bytes": 8 * GIB}], asked)
    assert same["devices"][0]["total_bytes"] == got["memory"]["devices"][0]["total_bytes"] <= 7 * GIB
    assert same["host"]["weights_bytes"] == got["memory"]["host"]["weights_bytes"] > 9 * GIB


def test_layers_stay_in_ram_where_even_the_experts_do_not_help(facts):
    got = planned(LARGE, facts(4, ram_gib=128))
    assert got["fits"]
    assert 0 < got["placement"]["gpu_layers"] < 48
    assert got["placement"]["n_cpu_moe"] > 0


def test_unequal_gpus_each_stay_within_their_budget(facts):
    got = planned(MOE, facts(16, 6, 10))
    assert got["fits"]
    assert sum(got["placement"]["layers_per_gpu"]) == got["placement"]["gpu_layers"] == 49
    for device in got["memory"]["devices"]:
        assert device["unused_bytes"] >= 0
        assert device["total_bytes"] + device["reserve_bytes"] + device["unused_bytes"] == device["free_bytes"]


def test_the_flags_give_the_memory_that_the_plan_says(facts):
    node = facts(16, 6, 10)
    got = planned(MOE, node)
    args = dict(zip(got["server"]["args"], [*got["server"]["args"][1:], None], strict=True))
    answer = memory_query(
        truth.plain(MOE),
        [{"name": f"CUDA{number}", "free_bytes": device["memory_free_bytes"]} for number, device in enumerate(node["devices"])],
        {
            "ctx_size": int(args["--ctx-size"]),
            "parallel": int(args["--parallel"]),
            "kv_unified": "--kv-unified" in args,
            "gpu_layers": int(args["--gpu-layers"]),
            "tensor_split": args["--tensor-split"],
        },
    )
    for expected, device in zip(answer["devices"], got["memory"]["devices"], strict=True):
        assert {key: device[key] for key in expected} == expected


@pytest.mark.parametrize("name, gib", [(MOE, (9,)), (MOE, (5, 3)), (MOE, (2,) * 8), (LARGE, (24,)), (LARGE, (9,) * 4), (DENSE, (4,)), (DENSE, (2,) * 3)])
def test_the_figures_are_the_memory_rules_own_whatever_the_search_assumed(facts, name, gib):
    got = planned(name, facts(*gib, ram_gib=128))
    assert got["fits"] and not got["placement"]["all_on_gpu"]
    settings = {
        **{key: got["context"][key] for key in ("ctx_size", "parallel", "kv_unified", "cache_type_k", "cache_type_v")},
        **{key: got["compute"][key] for key in ("batch_size", "ubatch_size", "op_offload", "kv_offload")},
        **{key: got["placement"][key] for key in ("gpu_layers", "n_cpu_moe", "override_tensor", "tensor_split", "split_mode")},
    }
    answer = memory_query(truth.plain(name), [{"name": f"CUDA{number}", "free_bytes": int(size * GIB)} for number, size in enumerate(gib)], settings)
    for expected, shown in zip((*answer["devices"], answer["host"]), (*got["memory"]["devices"], got["memory"]["host"]), strict=True):
        assert {key: shown[key] for key in expected if key != "name"} == {key: size for key, size in expected.items() if key != "name"}
    assert all(device["unused_bytes"] >= 0 for device in got["memory"]["devices"])


def test_without_a_gpu_the_ram_is_what_counts(facts):
    got = planned(DENSE, facts(ram_gib=16))
    assert got["fits"] and got["backend"] == "cpu"
    assert got["placement"]["gpu_layers"] == 0
    assert got["context"]["ctx_size"] < 131072
    host = got["memory"]["host"]
    assert host["total_bytes"] + host["reserve_bytes"] <= host["available_bytes"]


def test_a_build_without_gpus_can_be_asked_for(facts):
    got = planned(DENSE, facts(24), backend="cpu", ctx_size=4096)
    assert (got["backend"], got["placement"]["gpu_layers"], got["memory"]["devices"], got["server"]["env"]) == ("cpu", 0, [], {})


def test_what_does_not_fit_is_said_with_what_is_missing(facts):
    got = planned(LARGE, facts(ram_gib=32))
    assert not got["fits"]
    host = got["memory"]["host"]
    beside = host["output_bytes"] + host["vocabulary_bytes"] + host["process_bytes"]
    missing = host["total_bytes"] + beside + host["reserve_bytes"] - 32 * GIB
    assert f"Does not fit: RAM lacks {missing / GIB:.1f} GiB." in got["reasons"]


def test_unified_memory_is_one_pool(facts):
    got = planned(DENSE, facts(16, ram_gib=16, unified_memory=True))
    used = sum(device["total_bytes"] for device in got["memory"]["devices"]) + got["memory"]["host"]["total_bytes"]
    assert got["fits"]
    assert used + got["memory"]["host"]["cache_ram_bytes"] + got["memory"]["host"]["reserve_bytes"] <= 16 * GIB


def test_the_prompt_cache_takes_no_ram_that_is_not_there(facts):
    got = planned(DENSE, facts(ram_gib=8), ctx_size=4096)
    host = got["memory"]["host"]
    assert host["cache_ram_bytes"] < 8 * GIB
    assert host["total_bytes"] + host["cache_ram_bytes"] + host["reserve_bytes"] <= 8 * GIB
    assert str(host["cache_ram_bytes"] // 1024**2) == got["server"]["args"][got["server"]["args"].index("--cache-ram") + 1]


def test_gpus_are_chosen_by_uuid(facts):
    assert planned(DENSE, facts(24, 24))["server"]["env"] == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "GPU-0,GPU-1"}
    assert planned(DENSE, facts())["server"]["env"] == {}


def test_what_is_fixed_is_respected(facts):
    got = planned(DENSE, facts(8), cache_type_k="q8_0", cache_type_v="q8_0", ubatch_size=128, parallel=2)
    assert (got["context"]["cache_type_k"], got["context"]["parallel"], got["context"]["kv_unified"]) == ("q8_0", 2, False)
    args = got["server"]["args"]
    assert args[args.index("--ubatch-size") + 1] == "128"
    assert "--no-kv-unified" in args


def test_a_context_beyond_training_is_warned_of(facts):
    assert "longer than the 131072" in planned(DENSE, facts(80), ctx_size=200000)["warnings"][0]


def test_the_speed_is_bounded_where_bandwidths_are_known(facts):
    assert planned(DENSE, facts(24))["throughput"]["decode"]["tokens_per_second_at_most"] is None
    node = facts(24, memory_bandwidth_bytes_per_second=300 * 10**9)
    node["host"]["memory_bandwidth_bytes_per_second"] = 50 * 10**9
    decode = planned(DENSE, node, ctx_size=4096)["throughput"]["decode"]
    assert decode["bound_by"] == "CUDA0 memory"
    weights = sum(group["size_bytes"] for group in truth.plain(DENSE)["tensors"] if group["name"] in ("output.weight",))
    assert weights < decode["bytes_per_token"]["CUDA0"] < 5 * 10**9
    assert decode["tokens_per_second_at_most"] == pytest.approx(300 * 10**9 / decode["bytes_per_token"]["CUDA0"], rel=0.01)
    assert decode["tokens_per_second_low"] < decode["tokens_per_second_expected"] < decode["tokens_per_second_at_most"]


def test_the_ram_to_start_and_to_run_is_told(facts):
    host = planned(MOE, facts(8), ctx_size=16384, load_mode="mmap")["memory"]["host"]
    assert host["recommended_ram_bytes"] - host["min_ram_bytes"] == host["weights_bytes"] + host["cache_ram_bytes"]
    beside = host["output_bytes"] + host["vocabulary_bytes"] + host["process_bytes"]
    assert host["min_ram_bytes"] == host["kv_bytes"] + host["compute_bytes"] + beside
    assert host["recommended_ram_bytes"] + host["reserve_bytes"] <= host["available_bytes"]


def test_mapped_weights_that_do_not_fit_would_let_it_start_and_page(facts):
    got = planned(LARGE, facts(8, ram_gib=32))
    host = got["memory"]["host"]
    assert not got["fits"]
    assert host["min_ram_bytes"] < 32 * GIB < host["recommended_ram_bytes"]
    assert any("Here it would start, but read part of the" in reason for reason in got["reasons"])
    locked = planned(LARGE, facts(8, ram_gib=32), load_mode="mlock")
    assert locked["memory"]["host"]["min_ram_bytes"] > 32 * GIB
    assert not any("would start" in reason for reason in locked["reasons"])


def test_a_gpu_that_shares_the_ram_and_can_not_map_holds_its_weights_there(facts):
    host = planned(DENSE, facts(64, ram_gib=64, unified_memory=True), ctx_size=4096)["memory"]["host"]
    apple = planned(DENSE, facts(48, ram_gib=64, unified_memory=True, vendor="apple"), ctx_size=4096)["memory"]["host"]
    assert host["min_ram_bytes"] > 5 * GIB
    assert host["min_ram_bytes"] - apple["min_ram_bytes"] == host["weights_bytes"]


@pytest.mark.parametrize("ram_gib, fewer", [(256, False), (64, True), (12, True)])
def test_checkpoints_take_no_ram_that_is_not_there(facts, ram_gib, fewer):
    got = planned("Gemma-3-27B-Q4_K_M.gguf", facts(24, ram_gib=ram_gib), ctx_size=8192)
    host, args = got["memory"]["host"], got["server"]["args"]
    assert got["fits"]
    assert host["recommended_ram_bytes"] + host["reserve_bytes"] <= ram_gib * GIB
    assert ("--ctx-checkpoints" in args) == fewer == (got["context"]["ctx_checkpoints"] < 32)
    if fewer:
        assert args[args.index("--ctx-checkpoints") + 1] == str(got["context"]["ctx_checkpoints"])
    assert any("ontext checkpoints" in reason for reason in got["reasons"])


def test_a_model_without_states_has_no_checkpoints_to_tell_of(facts):
    got = planned(DENSE, facts(24))
    assert "--ctx-checkpoints" not in got["server"]["args"]
    assert got["memory"]["host"]["checkpoints_bytes"] == 0
    assert not any("checkpoint" in reason for reason in got["reasons"])


def test_a_token_reads_only_the_experts_it_uses(facts):
    node = facts(24)
    got = planned(MOE, node, ctx_size=4096)
    device = got["memory"]["devices"][0]
    assert got["throughput"]["decode"]["bytes_per_token"]["CUDA0"] < device["weights_bytes"] / 5


def test_a_plan_is_plain_and_the_same_each_time(facts):
    first, second = planned(MOE, facts(24, 8)), planned(MOE, facts(24, 8))
    assert json.loads(json.dumps(first)) == first == second


def test_the_previous_plan_holds_while_only_free_memory_changed(facts):
    node = facts(24)
    previous = planned(DENSE, node)
    node["devices"][0]["memory_free_bytes"] //= 2
    assert plan(truth.plain(DENSE), node, {}, previous) == previous
    assert plan(truth.plain(DENSE), node, {"ctx_size": 4096}, previous) != previous
    assert plan(truth.plain(DENSE), facts(16), {}, previous) != previous


@pytest.mark.parametrize("previous", [None, "plan", {}, {"inputs": "0", "fits": True}])
def test_what_is_no_previous_plan_is_not_used(facts, previous):
    assert plan(truth.plain(DENSE), facts(24), {}, previous) == planned(DENSE, facts(24))


@pytest.mark.parametrize(
    "wishes, message",
    [
        ({"ctx": 4096}, "llama_plan: unknown option 'ctx'"),
        ({"ctx_size": 0}, "llama_plan.ctx_size: too small"),
        ({"reserve_bytes": "1G"}, "llama_plan.reserve_bytes: not an integer"),
        ({"reserve_bytes": [1, 2]}, "llama_plan.reserve_bytes: not one value for each GPU"),
        ({"devices": ["GPU-1"]}, "llama_plan.devices[0]: no GPU with this uuid"),
    ],
)
def test_an_impossible_wish_is_refused(facts, wishes, message):
    with pytest.raises(InfraError) as error:
        planned(DENSE, facts(24), **wishes)
    assert message in str(error.value)


def test_an_architecture_without_a_rule_is_refused(facts):
    model = {**truth.plain(DENSE), "architecture": "wavtokenizer-dec"}
    with pytest.raises(InfraError, match="llama-server does not serve architecture 'wavtokenizer-dec' by itself"):
        plan(model, facts(24), {})


@pytest.mark.parametrize(
    "pinned", [{"override_tensor": [r"blk\.1\..*_exps.*=CPU"]}, {"tensor_split": [1, 1]}, {"n_cpu_moe": 3}, {"main_gpu": 1, "split_mode": "none"}]
)
def test_a_pinned_placement_is_planned_around(facts, pinned):
    got = planned("Qwen3-30B-A3B-Q4_K_M.gguf", facts(24, 24), **pinned)
    assert got["fits"]
    (name, value), *_rest = pinned.items()
    assert got["placement"][name] == value
