# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import copy

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gpu import facts as gpu_facts
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.node import SCHEMA, Node, node_from_plain

GIB = 1024**3


def test_devices_are_named_as_llama_cpp_names_them(facts):
    node = node_from_plain(facts(8, 24))
    assert [(gpu.device, gpu.memory_free_bytes // GIB) for gpu in node.gpus] == [("CUDA0", 8), ("CUDA1", 24)]
    for vendor, device in {"amd": "ROCm0", "intel": "SYCL0", "apple": "MTL0"}.items():
        assert [gpu.device for gpu in node_from_plain(facts(8, vendor=vendor)).gpus] == [device]


def test_the_vendor_with_the_most_memory_is_used(facts):
    mixed = facts(8, 8)
    mixed["devices"] += facts(24, vendor="amd", uuid="other")["devices"]
    node = node_from_plain(mixed)
    assert [gpu.device for gpu in node.gpus] == ["ROCm0"]
    assert node.ignored_gpus == ("GPU 0", "GPU 1")


def test_a_gpu_that_shares_the_ram_is_left_out_beside_one_that_does_not(facts):
    mixed = facts(24)
    mixed["devices"] += facts(60, vendor="amd", uuid="other", name="Radeon 780M Graphics", unified_memory=True)["devices"]
    node = node_from_plain(mixed)
    assert [gpu.device for gpu in node.gpus] == ["CUDA0"]
    assert node.ignored_gpus == ("Radeon 780M Graphics",)


def test_a_node_without_gpus(facts):
    assert node_from_plain(facts()).gpus == ()


def test_what_facts_do_not_tell_comes_from_the_table(facts):
    (gpu,) = node_from_plain(facts(24, name="NVIDIA GeForce RTX 3090")).gpus
    assert (gpu.model, gpu.compute_capability, gpu.units) == ("nvidia-rtx-3090", "8.6", 82)
    assert gpu.memory_bandwidth_bytes_per_second == 936 * 10**9
    assert gpu.matrix_flops == pytest.approx(71.2 * 10**12, rel=0.001)
    assert gpu.pcie_bytes_per_second == pytest.approx(31.5 * 10**9, rel=0.001)
    assert (gpu.memory_total_bytes, gpu.memory_free_bytes) == (24 * GIB, 24 * GIB)


def test_facts_count_more_than_the_table(facts):
    given = {"compute_capability": 8.7, "memory_bandwidth_bytes_per_second": 5, "matrix_flops": 6, "pcie_bytes_per_second": 7}
    (gpu,) = node_from_plain(facts(24, name="NVIDIA GeForce RTX 3090", **given)).gpus
    assert (gpu.compute_capability, gpu.memory_bandwidth_bytes_per_second, gpu.matrix_flops, gpu.pcie_bytes_per_second) == ("8.7", 5, 6, 7)


def test_a_gpu_that_the_table_does_not_have_stays_as_it_is(facts):
    (gpu,) = node_from_plain(facts(24)).gpus
    assert (gpu.model, gpu.units, gpu.memory_bandwidth_bytes_per_second, gpu.matrix_flops, gpu.pcie_bytes_per_second) == (None,) * 5


def test_a_gpu_that_shares_the_ram_brings_its_bandwidth(facts):
    node = node_from_plain(facts(64, name="NVIDIA GB10", unified_memory=True))
    assert node.memory_bandwidth_bytes_per_second == node.gpus[0].memory_bandwidth_bytes_per_second == 273 * 10**9


def test_a_gpu_that_shares_the_ram_needs_no_memory_of_its_own(facts):
    node = facts()
    node["host"]["memory_available_bytes"] = 30 * GIB
    node["devices"] = [{"vendor": "apple", "name": "Apple M4 Pro", "unified_memory": True}]
    (gpu,) = node_from_plain(node).gpus
    assert (gpu.memory_total_bytes, gpu.memory_free_bytes) == (64 * GIB, 30 * GIB)


def test_facts_may_name_a_row_of_the_table(facts):
    node = facts()
    node["devices"] = [{"model": "nvidia-l4", "uuid": "GPU-1"}]
    (gpu,) = node_from_plain(node).gpus
    assert (gpu.name, gpu.uuid, gpu.memory_total_bytes) == ("NVIDIA L4", "GPU-1", 23034 * 1024**2)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"device": []}, "node: unknown key 'device'"),
        ({"host": None}, "the node's 'host' is missing"),
        ({"host": {}}, "node.host: 'memory_total_bytes' is missing"),
        ({"devices": {}}, None),
        ({"devices": "none"}, "node.devices: not a list"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 0}]}, "node.devices[0].memory_total_bytes: a GPU without memory"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": -1}]}, "node.devices[0].memory_total_bytes: too small"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 1, "memory_free_bytes": 2}]}, "more free memory than there is"),
        ({"devices": [{"memory_total_bytes": 1}]}, "the GPU's vendor is missing"),
        ({"devices": [{"vendor": "nvidia", "memory_total_byte": 1}]}, "Did you mean 'memory_total_bytes'?"),
        ({"devices": [{"vendor": "nvidia"}]}, "node.devices[0]: 'memory_total_bytes' is missing"),
        ({"host": {"memory": 1}}, "node.host: unknown key 'memory'"),
        (
            {"devices": [{"vendor": "nvidia", "uuid": "x", "memory_total_bytes": 1}] * 2},
            "node.devices[1].uuid: two GPUs have the same uuid (got 'x' as node.devices[0] has",
        ),
        ({"devices": [7]}, "node.devices[0]: not a GPU"),
        ({"devices": [{"vendor": "Nvidia", "memory_total_bytes": 1}]}, "node.devices[0].vendor: not one of the choices"),
        ({"devices": [{"vendor": 1, "memory_total_bytes": 1}]}, "node.devices[0].vendor: not a string"),
        ({"devices": [{"vendor": "nvidia", "name": 4090, "memory_total_bytes": 1}]}, "node.devices[0].name: not a string"),
        ({"devices": [{"vendor": "nvidia", "uuid": 1, "memory_total_bytes": 1}]}, "node.devices[0].uuid: not a string"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": "24 GiB"}]}, "node.devices[0].memory_total_bytes: not an integer (got '24 GiB'"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": "24564 MiB"}]}, "node.devices[0].memory_total_bytes: not an integer"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 2.5e10}]}, "node.devices[0].memory_total_bytes: not an integer"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": True}]}, "node.devices[0].memory_total_bytes: not an integer"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": [1]}]}, "node.devices[0].memory_total_bytes: not an integer"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 1, "memory_free_bytes": -1}]}, "node.devices[0].memory_free_bytes: too small"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 1, "unified_memory": "no"}]}, "node.devices[0].unified_memory: not a boolean"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 1, "compute_capability": "ada"}]}, "node.devices[0].compute_capability: not a version"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 1, "compute_capability": 9}]}, "node.devices[0].compute_capability: not a version"),
        ({"devices": [{"vendor": "amd", "memory_total_bytes": 1, "gfx_target": 1100}]}, "node.devices[0].gfx_target: not a string"),
        ({"devices": [{"vendor": "amd", "memory_total_bytes": 1, "matrix_flops": 0}]}, "node.devices[0].matrix_flops: too small"),
        ({"devices": [{"vendor": "amd", "model": "nvidia-l4"}]}, "node.devices[0].vendor: nvidia-l4 is a GPU of nvidia"),
        ({"devices": [{"model": "nvidia-l5"}]}, "node.devices[0].model: no such GPU in the table"),
        ({"host": {"memory_total_bytes": 0}}, "node.host.memory_total_bytes: a node without RAM"),
        ({"host": {"memory_total_bytes": -1}}, "node.host.memory_total_bytes: too small"),
        ({"host": {"memory_total_bytes": "much"}}, "node.host.memory_total_bytes: not an integer"),
        ({"host": {"memory_total_bytes": 1, "memory_available_bytes": 2}}, "more available memory than there is"),
        ({"host": {"memory_total_bytes": 1, "memory_bandwidth_bytes_per_second": 0}}, "node.host.memory_bandwidth_bytes_per_second: too small"),
        ({"host": []}, "node.host: not a host (got []"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 1}] * 65}, "node.devices: too many GPUs (got 65, expected at most 64"),
        ({"devices": [[]]}, "node.devices[0]: not a GPU"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": float("nan")}]}, "node.devices[0].memory_total_bytes: not an integer"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 2**63}]}, "node.devices[0].memory_total_bytes: too large"),
        ({"devices": [{"vendor": "nvidia", "memory_total_bytes": 10**5000}]}, "node.devices[0].memory_total_bytes: too large"),
        ({"devices": [{"vendor": "nvidia", "name": "\x1b[2J", "memory_total_bytes": 1}]}, "node.devices[0].name: not a name"),
        ({"devices": [{"vendor": "nvidia", "uuid": "x" * 300, "memory_total_bytes": 1}]}, "node.devices[0].uuid: not a name"),
        ({"name": "a\nb"}, "node.name: not a name (got 'a\\nb'"),
        ({"host": {"memory_total_bytes": 2**64}}, "node.host.memory_total_bytes: too large"),
        ({"host": {"memory_total_bytes": 1, "memory_available_byte": 1}}, "Did you mean 'memory_available_bytes'?"),
        ({"schema": 1}, "node.schema: facts of another version (got 1, expected 2). Gather them again"),
        ({"driver": "580"}, "node.driver: not a driver"),
        ({"driver": {"cuda": "13.0"}}, "node.driver: unknown key 'cuda'"),
        ({"driver": {"cuda_max": "new"}}, "node.driver.cuda_max: not a version"),
    ],
)
def test_a_malformed_node_is_refused(facts, change, message):
    node = {**facts(), **change}
    if message is None:
        assert node_from_plain(node).gpus == ()
        return
    with pytest.raises(InfraError) as error:
        node_from_plain(node)
    assert message in str(error.value)


def mig_instance(profile, memory_mib, name="NVIDIA A100-SXM4-80GB", **more):
    mig = {"profile": profile, "gpu_instance_id": 9, "compute_instance_id": 0, "parent_uuid": "GPU-1"}
    return {"vendor": "nvidia", "name": f"{name} MIG {profile}", "uuid": "MIG-1", "memory_total_bytes": memory_mib * 1024**2, "mig": mig, **more}


def test_a_mig_instance_has_its_share_of_the_card(facts):
    (whole,) = node_from_plain({**facts(), "devices": [{"vendor": "nvidia", "name": "NVIDIA A100-SXM4-80GB", "memory_total_bytes": 81920 * 1024**2}]}).gpus
    (part,) = node_from_plain({**facts(), "devices": [mig_instance("3g.40gb", 40448)]}).gpus
    assert part.memory_total_bytes == 40448 * 1024**2
    # Three of seven slices of the multiprocessors, and as much of the bandwidth as it has of the memory: somewhat less than half.
    assert part.matrix_flops == whole.matrix_flops * 3 // 7 and part.units == whole.units * 3 // 7
    assert 0.49 < part.memory_bandwidth_bytes_per_second / whole.memory_bandwidth_bytes_per_second < 0.5
    assert part.compute_capability == whole.compute_capability == "8.0"


def test_a_compute_instance_is_a_part_of_its_gpu_instance(facts):
    (part,) = node_from_plain({**facts(), "devices": [mig_instance("1c.3g.40gb", 40448)]}).gpus
    (other,) = node_from_plain({**facts(), "devices": [mig_instance("1g.10gb+me", 9728)]}).gpus
    assert part.matrix_flops == other.matrix_flops
    assert part.memory_bandwidth_bytes_per_second > 4 * other.memory_bandwidth_bytes_per_second


def test_a_process_gets_one_mig_instance_or_whole_gpus(facts):
    small, large = mig_instance("1g.10gb", 9728), mig_instance("3g.40gb", 40448, uuid="MIG-2")
    node = node_from_plain({**facts(), "devices": [small, large]})
    assert [gpu.uuid for gpu in node.gpus] == ["MIG-2"] and node.ignored_gpus == ("NVIDIA A100-SXM4-80GB MIG 1g.10gb",)
    l4 = {"vendor": "nvidia", "name": "NVIDIA L4", "memory_total_bytes": 23034 * 1024**2}
    node = node_from_plain({**facts(), "devices": [{**l4, "uuid": "GPU-1"}, {**l4, "uuid": "GPU-2"}, large]})
    assert [gpu.uuid for gpu in node.gpus] == ["GPU-1", "GPU-2"]


def test_a_mig_instance_of_an_unknown_card_has_no_figures(facts):
    (part,) = node_from_plain({**facts(), "devices": [mig_instance("1g.10gb", 9728, name="NVIDIA Z100")]}).gpus
    assert (part.memory_bandwidth_bytes_per_second, part.matrix_flops, part.model) == (None, None, None)


@pytest.mark.parametrize(
    "mig, message",
    [
        ("1g.10gb", "node.devices[0].mig: not a MIG instance"),
        ({"profile": "big"}, "node.devices[0].mig.profile: not a MIG profile (got 'big'"),
        ({"profile": "1g.10gb", "uuid": "x"}, "node.devices[0].mig: unknown key 'uuid'"),
    ],
)
def test_a_malformed_mig_instance_is_refused(facts, mig, message):
    with pytest.raises(InfraError) as error:
        node_from_plain({**facts(), "devices": [{**mig_instance("1g.10gb", 9728), "mig": mig}]})
    assert message in str(error.value)


def test_the_version_of_the_facts_is_that_of_gpu_facts():
    assert SCHEMA == gpu_facts.SCHEMA


NOT_MEANT = (
    None,
    True,
    0,
    -1,
    1,
    2**70,
    1.5,
    float("inf"),
    float("nan"),
    "",
    "x",
    "-1",
    "1e9",
    "24 GiB",
    "\u0661",
    [],
    [1],
    [None],
    [{}],
    {},
    {"x": 1},
    {1: 2},
)
FULL_FACTS = {
    "schema": 2,
    "devices": [
        {
            "index": 0,
            "uuid": "GPU-1",
            "pci_bus_id": "0000:01:00.0",
            "vendor": "nvidia",
            "name": "NVIDIA L4",
            "architecture": "ada",
            "compute_capability": "8.9",
            "gfx_target": None,
            "memory_total_bytes": 24152899584,
            "memory_free_bytes": 23666360320,
            "unified_memory": False,
            "display_attached": False,
            "mig": None,
            "virtual": False,
            "persistence_mode": True,
            "ecc": True,
            "pcie_generation": 4,
            "pcie_width": 16,
            "numa_node": 0,
            "memory_bandwidth_bytes_per_second": 300000000000,
            "matrix_flops": 121000000000000,
            "pcie_bytes_per_second": 31000000000,
            "model": "nvidia-l4",
        }
    ],
    "driver": {
        "vendor": "nvidia",
        "version": "580.95.05",
        "library_version": "580.95.05",
        "mismatch": False,
        "cuda_max": "13.0",
        "uvm": True,
        "secure_boot": None,
        "other_cards": [],
    },
    "platform": {},
    "host": {
        "memory_total_bytes": 68719476736,
        "memory_available_bytes": 66571993088,
        "memory_limit_bytes": None,
        "cpu": "AMD EPYC",
        "cores_physical": 16,
        "cores_logical": 32,
        "cores_performance": 16,
        "numa_nodes": 1,
        "hugepages_total_bytes": 0,
        "hugepages_free_bytes": 0,
        "simd": ["avx2"],
        "disks": [],
        "memory_bandwidth_bytes_per_second": 80000000000,
        "cpu_flops": 1,
    },
    "problems": [],
    "name": "n",
}
FULL_DESCRIPTION = {
    "name": "n",
    "gpus": [{"model": "nvidia-l4", "count": 2, "memory_total_bytes": 24152899584, "memory_free_bytes": 1, "matrix_flops": 1, "pcie_bytes_per_second": 1}],
    "ram": {"bytes": 68719476736, "available_bytes": 66571993088, "type": "ddr5-4800", "channels": 2},
    "cuda_max": "13.0",
    "cpu_flops": 1,
}
SHARED_DESCRIPTION = {"gpus": [{"model": "apple-m4", "memory_total_bytes": 17179869184}], "ram_bytes": 17179869184, "ram_bandwidth_bytes_per_second": 1}


def paths(value, so_far=()):
    """Every way into C(value)."""
    yield so_far
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*so_far, key))


@pytest.mark.parametrize("node", [FULL_FACTS, FULL_DESCRIPTION, SHARED_DESCRIPTION])
def test_whatever_stands_anywhere_is_taken_or_refused_with_a_message(node):
    assert isinstance(node_from_plain(node), Node)
    refused = 0
    for path in paths(node):
        for value in NOT_MEANT:
            changed = {"it": copy.deepcopy(node)}
            place, last = changed, "it"
            for key in path:
                place, last = place[last], key
            place[last] = value
            try:
                assert isinstance(node_from_plain(changed["it"]), Node)
            except InfraError as error:
                assert str(error).startswith("node")
                refused += 1
    assert refused > 100


def test_a_gpu_that_can_not_be_used_is_left_out_whatever_is_known_of_it(facts):
    mixed = facts(24, 24)
    mixed["devices"][1].update(usable=False, name="NVIDIA L4", memory_total_bytes=None, memory_free_bytes=None)
    node = node_from_plain(mixed)
    assert [gpu.name for gpu in node.gpus] == ["GPU 0"]
    assert (node.ignored_gpus, node.unusable_gpus) == ((), ("NVIDIA L4",))
    mixed["devices"][1]["usable"] = "no"
    with pytest.raises(InfraError, match=r"devices\[1\].usable"):
        node_from_plain(mixed)


def test_facts_that_do_not_tell_what_is_free_get_what_the_driver_leaves(facts):
    known = facts(24, name="NVIDIA L4")
    known["devices"][0].update(memory_total_bytes=23034 * 2**20, memory_free_bytes=None)
    assert node_from_plain(known).gpus[0].memory_free_bytes == 22569 * 2**20
    known["devices"][0]["name"] = "a GPU that the table doesn't have"
    assert node_from_plain(known).gpus[0].memory_free_bytes == 23034 * 2**20
