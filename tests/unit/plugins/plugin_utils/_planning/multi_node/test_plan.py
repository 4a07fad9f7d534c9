# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.query import memory_query
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.report import report
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.server_args import server_args
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

from .teams import DEEPSEEK, DENSE, GIB, LARGE, node, planned

TWO = {"a": node("nvidia-l40s"), "b": node("nvidia-l40s")}


def test_it_has_the_keys_of_a_plan_for_one_node():
    one, several = plan(truth.plain(DENSE), TWO["a"], {}), planned(DENSE, TWO)
    assert set(several) - {"multi_node"} == set(one)
    for part in ("model", "node", "placement", "context", "compute", "throughput", "missing", "server", "llama_cpp"):
        assert set(several[part]) == set(one[part])
    assert set(several["memory"]["host"]) == set(one["memory"]["host"])
    assert set(several["memory"]["devices"][0]) - {"node"} == set(one["memory"]["devices"][0])
    assert json.loads(json.dumps(several)) == several


def test_devices_are_named_with_their_nodes_in_llama_cpps_order():
    got = planned(LARGE, TWO, ctx_size=16384)
    assert got["fits"] and got["placement"]["all_on_gpu"]
    assert [(device["name"], device["node"]) for device in got["memory"]["devices"]] == [("RPC0", "b"), ("CUDA0", "a")]
    assert [(gpu["device"], gpu["node"]) for gpu in got["node"]["gpus"]] == [("RPC0", "b"), ("CUDA0", "a")]
    args = got["server"]["args"]
    assert args[args.index("--tensor-split") + 1] == ",".join(map(str, got["placement"]["layers_per_gpu"]))
    assert (args[args.index("--gpu-layers") + 1], args[args.index("--fit") + 1]) == ("48", "off")


def test_the_bytes_are_those_of_the_memory_rules():
    got = planned(LARGE, TWO, ctx_size=16384)
    settings = {"ctx_size": 16384, "tensor_split": got["placement"]["layers_per_gpu"], "override_tensor": got["placement"]["override_tensor"]}
    devices = [{"name": row["name"], "free_bytes": row["free_bytes"], "remote": row["name"] == "RPC0"} for row in got["memory"]["devices"]]
    same = memory_query(truth.plain(LARGE), devices, settings)
    assert [row["total_bytes"] for row in same["devices"]] == [row["total_bytes"] for row in got["memory"]["devices"]]
    (worker,) = got["multi_node"]["workers"]
    assert worker["used_bytes"] == same["devices"][0]["total_bytes"]
    assert same["host"]["total_bytes"] == got["memory"]["host"]["total_bytes"]


def test_the_environment_is_the_heads(facts):
    nodes = {"a": facts(24, uuid="GPU-of-a"), "b": facts(24, uuid="GPU-of-b")}
    got = planned(DENSE, nodes, ctx_size=8192, head="b")
    assert got["server"]["env"]["CUDA_VISIBLE_DEVICES"] == "GPU-of-b"
    assert got["multi_node"]["workers"][0]["env"]["CUDA_VISIBLE_DEVICES"] == "GPU-of-a"


def test_it_is_worth_it_where_one_node_would_read_from_its_ram():
    got = planned(LARGE, TWO, ctx_size=16384)
    one = got["multi_node"]["alternatives"][0]
    assert got["multi_node"]["worth_it"]
    assert got["throughput"]["decode"]["tokens_per_second_expected"] > one["decode_tokens_per_second_expected"]
    assert f"{one['decode_tokens_per_second_expected']:g} with a alone, part of it in its RAM" in got["multi_node"]["reasons"][-1]


def test_it_is_not_where_one_node_alone_is_as_fast():
    got = planned(DENSE, TWO, ctx_size=16384)["multi_node"]
    assert not got["worth_it"]
    assert got["reasons"][-1].startswith("Not worth it: about ")
    assert "with a alone, everything on its GPUs, both for a context of 16384." in got["reasons"][-1]


def test_a_slow_network_makes_it_not_worth_it():
    assert planned(LARGE, TWO, link=1e5, trip=0.1, ctx_size=16384)["multi_node"]["worth_it"] is False


def test_what_no_node_holds_is_worth_it_and_there_may_be_a_smaller_quantization():
    nodes = {name: node("nvidia-gb10", ram_gib=64) for name in ("s1", "s2")}
    got = planned(LARGE, nodes)["multi_node"]
    assert (got["worth_it"], got["reasons"][-1]) == (True, "No node holds the model alone, with its RAM neither.")
    (fewer,) = got["alternatives"]
    assert fewer["size_bytes"] < truth.plain(LARGE)["size_bytes"]


def test_deepseek_on_an_l4_and_hosts_with_ram():
    hosts = {f"h{number}": {"ram": {"bytes": 192 * GIB, "type": "ddr5-4800", "channels": 8}} for number in range(4)}
    got = planned(DEEPSEEK, {"l4": node("nvidia-l4", ram_gib=64), **hosts}, ctx_size=32768)
    team = got["multi_node"]
    assert (team["head"], [worker["node"] for worker in team["workers"]]) == ("l4", ["h0", "h1"])
    assert all(worker["min_ram_bytes"] < 192 * GIB for worker in team["workers"])
    assert team["wire"]["load_seconds"] == pytest.approx(sum(worker["weights_bytes"] for worker in team["workers"]) / 1.25e9, rel=0.01)
    assert 3 < got["throughput"]["decode"]["tokens_per_second_expected"] < 12


def test_the_wire_is_part_of_the_speed_and_its_figures_agree():
    got = planned(LARGE, TWO, ctx_size=16384)
    wire = got["multi_node"]["wire"]
    assert got["throughput"]["decode"]["seconds_per_token"]["network"] == wire["seconds_per_token"]
    assert got["throughput"]["prefill"]["seconds_per_batch"]["network"] == wire["seconds_per_ubatch"]
    assert (wire["boundaries"], wire["round_trips_per_token"]) == (1, 1)
    assert wire["load_bytes"] == got["multi_node"]["workers"][0]["weights_bytes"]


def test_other_filters_take_it():
    got = planned(LARGE, TWO, ctx_size=16384)
    assert server_args(got, {"model": "/models/m.gguf"})[-len(got["server"]["args"]) :] == got["server"]["args"]
    text = report(got)
    assert "Nodes, worth it\n  a: the head, with llama-server\n  b: ggml-rpc-server --device CUDA0 (RPC0 is CUDA0), needs" in text
    assert all(f"  ! {warning}" in text for warning in got["multi_node"]["warnings"])


def test_the_least_build_is_one_whose_rpc_is_safe():
    assert "CVE-2026-34159" in {reason["name"] for reason in planned(DENSE, TWO)["llama_cpp"]["minimum_build_reasons"]}


def test_a_plan_that_runs_is_kept_whatever_is_free(facts):
    nodes = {"a": facts(24), "b": facts(24)}
    first = planned(DENSE, nodes, ctx_size=8192)
    nodes["b"]["devices"][0]["memory_free_bytes"] = 12 * GIB
    assert planned(DENSE, nodes, ctx_size=8192, previous=first) == first
    assert planned(DENSE, nodes, ctx_size=8192)["memory"] != first["memory"]
    for other in ({"ctx_size": 16384}, {"ctx_size": 8192, "head": "b"}, {"ctx_size": 8192, "link": 1e9}, {"ctx_size": 8192, "worker_cache": True}):
        assert planned(DENSE, nodes, previous=first, **other)["inputs"] != first["inputs"]


def test_what_is_no_plan_is_not_kept():
    with pytest.raises(InfraError, match="previous: not a plan"):
        planned(DENSE, TWO, previous="a plan")
