# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which devices in /dev a GPU needs, and who may open them. Only root could make real ones: the tree is told of them."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.facts import gather
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import DeviceFile, Tree

GROUPS = "root:x:0:\nvideo:x:44:\nrender:x:993:ada\n# a comment\nbroken:x\n"
USERS = "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n"
AMD = {"/dev/kfd": (993, 0o660), "/dev/dri/renderD128": (44, 0o660)}


@pytest.fixture
def gathered(node, card, nothing, monkeypatch):
    """gathered(devices, shut): the facts of a node with a Radeon, an Arc and an L4; C(devices): path -> (group, mode), C(shut): what may not be opened."""

    def gather_with(devices, shut=(), groups=GROUPS, user=1000):
        files = {"/etc/group": groups, "/etc/passwd": USERS, **dict.fromkeys(devices, "")}
        files.update(card("0000:03:00.0", "1002:744c", driver="amdgpu", mem_info_vram_total="25753026560\n", mem_info_vram_used="0\n"))
        files["/sys/bus/pci/devices/0000:03:00.0/drm/renderD128/dev"] = "226:128\n"
        files.update(card("0000:04:00.0", "8086:56a0", driver="i915"))
        for name in ("lmem_total_bytes", "lmem_avail_bytes"):
            files[f"/sys/bus/pci/devices/0000:04:00.0/drm/card1/{name}"] = "17079205888\n"
        files["/sys/bus/pci/devices/0000:04:00.0/drm/renderD129/dev"] = "226:129\n"
        monkeypatch.setattr(Tree, "device", lambda self, path: DeviceFile(*devices[path], 226, 1) if path in devices else None)
        monkeypatch.setattr(Tree, "may_open", lambda self, path: path not in shut)
        monkeypatch.setattr("os.geteuid", lambda: user)
        return gather(nothing, node(files))

    return gather_with


def denied(facts):
    return [problem for problem in facts["problems"] if problem["code"] == "device_permission_denied"]


def test_the_groups_of_what_a_gpu_needs(gathered):
    radeon, arc = gathered({**AMD, "/dev/dri/renderD129": (993, 0o660)})["devices"]
    assert (radeon["render_node"], radeon["device_group_ids"]) == ("/dev/dri/renderD128", [44, 993])
    assert (arc["render_node"], arc["device_group_ids"]) == ("/dev/dri/renderD129", [993])


@pytest.mark.parametrize("group, mode", [(993, 0o666), (0, 0o660), (65534, 0o660), (993, 0o640), (993, 0o600)])
def test_groups_that_would_not_help(gathered, group, mode):
    assert gathered({"/dev/kfd": (group, mode)})["devices"][0]["device_group_ids"] == []


def test_a_gpu_whose_devices_are_not_here(gathered):
    radeon = gathered({})["devices"][0]
    assert (radeon["render_node"], radeon["device_group_ids"]) == ("/dev/dri/renderD128", [])


def test_a_user_who_may_not(gathered):
    (problem,) = denied(gathered(AMD, shut=AMD))
    assert problem["message"] == "the user ada may not read and write /dev/dri/renderD128 (group video, 44), /dev/kfd (group render, 993)"
    assert "usermod -aG video,render ada" in problem["fix"] and "--group-add 44 --group-add 993" in problem["fix"]


def test_a_group_without_a_name(gathered):
    (problem,) = denied(gathered({"/dev/kfd": (777, 0o660)}, shut=["/dev/kfd"], user=4242))
    assert problem["message"] == "the user 4242 may not read and write /dev/kfd (group without a name, 777)"
    assert "usermod -aG 777 4242" in problem["fix"]


def test_what_is_for_root_alone_needs_a_rule(gathered):
    (problem,) = denied(gathered({"/dev/kfd": (0, 0o600)}, shut=["/dev/kfd"]))
    assert "udev" in problem["fix"]


def test_who_may_open_them_has_no_problem(gathered):
    assert denied(gathered(AMD)) == []


def test_one_problem_for_each_vendor(gathered):
    devices = {**AMD, "/dev/dri/renderD129": (993, 0o660), "/dev/nvidia0": (44, 0o660), "/dev/nvidiactl": (44, 0o660), "/dev/nvidia-caps": (44, 0o660)}
    messages = [problem["message"] for problem in denied(gathered(devices, shut=devices))]
    assert ["nvidiactl" in message for message in messages] == [True, False, False]
    assert "caps" not in messages[0] and "/dev/nvidia0" in messages[0]
    assert "kfd" in messages[1] and "renderD129" in messages[2]


def test_nvidia_smi_says_it_already(recorded, node, monkeypatch):
    monkeypatch.setattr(Tree, "device", lambda self, path: DeviceFile(44, 0o660, 195, 0) if path == "/dev/nvidia0" else None)
    monkeypatch.setattr(Tree, "may_open", lambda self, path: False)
    facts = gather(recorded("no_permission"), node({"/dev/nvidia0": ""}))
    assert [problem["code"] for problem in facts["problems"]] == ["permission_denied"]


def test_a_real_device_and_a_file_that_is_none(tmp_path):
    (tmp_path / "plain").write_text("")
    tree = Tree("/")
    null = tree.device("/dev/null")
    assert (null.major, null.minor) == (1, 3) and tree.may_open("/dev/null")
    assert tree.device(str(tmp_path / "plain")) is None and tree.device("/no/such/device") is None
