# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CDI specifications, and the YAML they are written in."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import cdi, cdi_yaml
from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import DeviceFile, Tree

# In the form that nvidia-ctk writes, keys sorted, lists not indented.
SPEC = """---
cdiVersion: 0.5.0
containerEdits:
  deviceNodes:
  - path: /dev/nvidiactl
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  hooks:
  - args:
    - nvidia-cdi-hook
    - create-symlinks
    - --link
    - libcuda.so.1::/usr/lib/x86_64-linux-gnu/libcuda.so
    hookName: createContainer
    path: /usr/bin/nvidia-cdi-hook
  mounts:
  - containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05
    hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05
    options:
    - ro
    - nosuid
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
  name: "0"
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
  name: GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34
- containerEdits: {}
  name: all
kind: nvidia.com/gpu
"""
FILES = dict.fromkeys(("/dev/nvidiactl", "/dev/nvidia0", "/usr/bin/nvidia-cdi-hook", "/usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05"), "")
UUID = "GPU-5c0e4b7e-2d8a-9f3b-7c61-1f0f0c2a9d34"


def read(root, driver="580.95.05", uuids=(UUID,), engines=()):
    return cdi.read(Tree(root), driver, uuids, engines)


def test_one_that_fits(node):
    found, problems = read(node({**FILES, "/etc/cdi/nvidia.yaml": SPEC}))
    spec = {"path": "/etc/cdi/nvidia.yaml", "kind": "nvidia.com/gpu", "devices": ["0", UUID, "all"], "stale": False, "why": None}
    assert found == {"specs": [spec], "duplicates": []}
    assert problems == ()


def test_json_is_read_alike(node):
    found, problems = read(node({**FILES, "/var/run/cdi/nvidia.json": json.dumps(yaml.safe_load(SPEC))}))
    assert found["specs"][0]["devices"] == ["0", UUID, "all"] and found["specs"][0]["stale"] is False and problems == ()


@pytest.mark.parametrize(
    "change, why",
    [
        ({"driver": "580.126.09"}, "it was made for driver 580.95.05, and 580.126.09 is loaded"),
        ({"uuids": ("GPU-00000000-0000-0000-0000-000000000000",)}, f"there is no {UUID}"),
    ],
)
def test_one_that_does_not_fit_any_more(node, change, why):
    found, (problem,) = read(node({**FILES, "/etc/cdi/nvidia.yaml": SPEC}), **change)
    assert (found["specs"][0]["stale"], found["specs"][0]["why"]) == (True, why)
    assert problem.code == "cdi_spec_stale" and "/etc/cdi/nvidia.yaml" in problem.message and "nvidia-cdi-refresh" in problem.fix


@pytest.mark.parametrize("gone", sorted(FILES))
def test_one_that_names_a_file_that_is_gone(node, gone):
    files = {path: text for path, text in FILES.items() if path != gone}
    found, (problem,) = read(node({**files, "/etc/cdi/nvidia.yaml": SPEC}), driver=None, uuids=None)
    assert found["specs"][0]["stale"] is True and gone in problem.message


def test_another_vendors_is_not_held_against_nvidias_driver(node):
    text = "cdiVersion: 0.6.0\nkind: amd.com/gpu\ndevices:\n  - name: GPU-00000000-x\n    containerEdits:\n      deviceNodes:\n        - path: /dev/kfd\n"
    found, problems = read(node({"/dev/kfd": "", "/etc/cdi/amd.yaml": text}))
    assert found["specs"] == [{"path": "/etc/cdi/amd.yaml", "kind": "amd.com/gpu", "devices": ["GPU-00000000-x"], "stale": False, "why": None}]
    assert problems == ()


def test_two_files_with_the_same_devices(node):
    root = node({**FILES, "/etc/cdi/nvidia.yaml": SPEC, "/run/cdi/nvidia.yaml": SPEC, "/run/cdi/other.txt": SPEC})
    found, (problem,) = read(root)
    assert found["duplicates"] == ["nvidia.com/gpu=0", f"nvidia.com/gpu={UUID}", "nvidia.com/gpu=all"]
    assert problem.code == "cdi_devices_duplicate"
    assert "/etc/cdi/nvidia.yaml, /run/cdi/nvidia.yaml" in problem.message


def test_a_link_from_var_run_to_run_is_one_directory(node):
    root = node({**FILES, "/run/cdi/nvidia.yaml": SPEC, "/var/run": "-> ../run"})
    found, problems = read(root)
    assert [spec["path"] for spec in found["specs"]] == ["/var/run/cdi/nvidia.yaml"]
    assert found["duplicates"] == [] and problems == ()


@pytest.mark.parametrize(
    "engine, version, cdi_version, told",
    [
        ("podman", "4.9.3", "0.7.0", True),
        ("podman", "5.1.0", "0.7.0", False),
        ("containerd", "1.7.15", "0.7.0", True),
        ("containerd", "1.7.16", "1.0.0", False),
        ("podman", "4.9.3", "0.6.0", False),
    ],
)
def test_an_engine_too_old_for_the_version_of_the_file(node, engine, version, cdi_version, told):
    engines = [{"name": engine, "version": version, "cdi": True, "rootless": False}]
    _found, problems = read(node({**FILES, "/etc/cdi/nvidia.yaml": SPEC.replace("0.5.0", cdi_version)}), engines=engines)
    assert [problem.code for problem in problems] == (["cdi_version_too_new"] if told else [])


@pytest.mark.parametrize(
    "name, text, why",
    [
        ("a.yaml", "", "object"),
        ("a.yaml", "kind: nvidia.com/gpu\n  devices: |\n", "not understood"),
        ("a.yaml", "cdiVersion: 0.5.0\n", "no 'kind' in it"),
        ("a.json", "{", ""),
        ("a.json", '{"kind": 5}', "no texts"),
        ("a.json", "[]", ""),
        ("a.yaml", "- " * 5000, ""),
    ],
)
def test_files_that_are_no_specification(node, name, text, why):
    found, (problem,) = read(node({f"/etc/cdi/{name}": text}))
    assert (found["specs"][0]["kind"], found["specs"][0]["stale"]) == (None, None)
    assert problem.code == "cdi_spec_unreadable" and why in problem.message


@pytest.mark.parametrize(
    "text",
    [
        SPEC,
        "a:\n    - b: 'it''s'\n      c: \"d: \\\"e\\\"\"\n    -\n      f: g # a comment\n# another\nh: []\ni:\n- [x, y]\n- - z\n",
        "kind: x/y\ndevices:\n- name: a:b\n  annotations: {}\n",
    ],
)
def test_yaml_says_the_same_as_a_whole_parser(text):
    assert cdi_yaml.load(text) == yaml.load(text, Loader=yaml.BaseLoader) or cdi_yaml.load(text) == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["a: &x b\n", "a: {b: c}\n", "a: |\n  b\n", "a: b\n   c: d\n", "- a\nb: c\n"])
def test_yaml_beyond_that_is_refused(text):
    with pytest.raises(ValueError, match="not understood"):
        cdi_yaml.load(text)


NUMBERED = SPEC.replace(
    "  - path: /dev/nvidiactl\n",
    "  - path: /dev/nvidiactl\n    major: 195\n    minor: 255\n  - path: /dev/nvidia-uvm\n    type: c\n    major: 507\n",
)


@pytest.mark.parametrize("write", [lambda text: ("nvidia.yaml", text), lambda text: ("nvidia.json", json.dumps(yaml.safe_load(text)))])
@pytest.mark.parametrize("uvm, stale", [((507, 0), False), ((511, 0), True), ((507, 1), True), (None, False)])
def test_the_number_of_a_device_changes_with_each_start(node, monkeypatch, write, uvm, stale):
    numbers = {"/dev/nvidiactl": (195, 255), "/dev/nvidia0": (195, 0), "/dev/nvidia-uvm": uvm}
    monkeypatch.setattr(Tree, "device", lambda self, path: DeviceFile(0, 0o666, *numbers[path]) if numbers.get(path) else None)
    name, text = write(NUMBERED)
    found, problems = read(node({**FILES, "/dev/nvidia-uvm": "", f"/etc/cdi/{name}": text}))
    assert found["specs"][0]["stale"] is stale
    assert [problem.code for problem in problems] == ["cdi_spec_stale"] * stale
    if stale:
        assert found["specs"][0]["why"] == f"/dev/nvidia-uvm is device 507:0 there, and {uvm[0]}:{uvm[1]} here"


@pytest.mark.parametrize("number", ["many", "-1", "9" * 400, "[]", "1.5", "''"])
def test_a_number_that_is_none_is_not_compared(node, monkeypatch, number):
    monkeypatch.setattr(Tree, "device", lambda self, path: DeviceFile(0, 0o666, 1, 1))
    text = SPEC.replace("  - path: /dev/nvidiactl\n", f"  - path: /dev/nvidiactl\n    major: {number}\n")
    assert read(node({**FILES, "/etc/cdi/nvidia.yaml": text}))[0]["specs"][0]["stale"] is False


def test_a_gpu_that_was_built_in_later(node):
    found, problems = read(node({**FILES, "/dev/nvidia1": "", "/dev/nvidia10": "", "/dev/nvidia-modeset": "", "/etc/cdi/nvidia.yaml": SPEC}))
    assert found["specs"][0]["why"] == "'all' is without /dev/nvidia1, /dev/nvidia10"
    assert problems[0].code == "cdi_spec_stale" and "nvidia-ctk cdi generate" in problems[0].fix


def test_one_gpu_alone_may_be_meant(node):
    text = SPEC.replace("- containerEdits: {}\n  name: all\n", "")
    assert read(node({**FILES, "/dev/nvidia1": "", "/etc/cdi/nvidia.yaml": text}))[0]["specs"][0]["stale"] is False


def test_another_vendors_are_not_compared(node):
    text = "cdiVersion: 0.5.0\nkind: example.com/gpu\ndevices:\n- name: all\n  containerEdits: {}\n"
    assert read(node({"/dev/nvidia0": "", "/etc/cdi/other.yaml": text}))[0]["specs"][0]["stale"] is False


def test_a_jetsons_specification_names_other_nodes_for_its_gpu(node):
    text = """cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
- name: all
  containerEdits:
    deviceNodes:
    - path: /dev/nvmap
    - path: /dev/nvhost-gpu
"""
    files = {"/dev/nvmap": "", "/dev/nvhost-gpu": "", "/dev/nvidia0": "", "/etc/cdi/nvidia.yaml": text}
    assert read(node(files))[0]["specs"][0]["stale"] is False
