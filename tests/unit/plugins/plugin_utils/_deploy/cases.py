# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans and options that the golden files are rendered from. WRITE_GOLDEN=1 makes test_golden.py write them anew."""

from __future__ import annotations

import json
import pathlib

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.manifests import manifests
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
GOLDEN = pathlib.Path(__file__).parent / "golden"
TARGETS = ("quadlet", "compose", "systemd")
LLAMA, QWEN_MOE, GLM = "Llama-3.1-8B-Q4_K_M.gguf", "Qwen3-30B-A3B-Q4_K_M.gguf", "GLM-4.5-Air-Q4_K_M.gguf"
SHA256 = "0123456789abcdef" * 4
UUIDS = ("GPU-11111111-2222-3333-4444-555555555555", "GPU-66666666-7777-8888-9999-000000000000")
MIG_UUID = "MIG-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def nvidia(*free_gib, name="NVIDIA L4", **more):
    return [gpu("nvidia", name, UUIDS[number], free, **more) for number, free in enumerate(free_gib)]


def gpu(vendor, name, uuid, free_gib, **more):
    size = int(free_gib * GIB)
    return {"vendor": vendor, "name": name, "uuid": uuid, "memory_total_bytes": size, "memory_free_bytes": size, **more}


def node(*devices, ram_gib=128, cuda_max="13.4"):
    host = {"memory_total_bytes": ram_gib * GIB, "memory_available_bytes": ram_gib * GIB}
    return {"devices": list(devices), "host": host, "driver": {"cuda_max": cuda_max}}


MIG = gpu("nvidia", "NVIDIA H100 80GB HBM3 MIG 2g.20gb", MIG_UUID, 19, mig={"profile": "2g.20gb"})
RADEON = gpu("amd", "Radeon RX 7900 XTX", "GPU-0123456789abcdef", 24, gfx_target="gfx1100")
ARC = gpu("intel", "Intel Arc B580", None, 12)
GB10 = gpu("nvidia", "NVIDIA GB10", UUIDS[0], 119, unified_memory=True, compute_capability="12.1")
KEYS = {"api_key_file": "/etc/llama/api_keys"}
TLS = {"tls_cert_file": "/etc/llama/tls/cert.pem", "tls_key_file": "/etc/llama/tls/key.pem"}
ODD = '/srv/models of $USER/100% "it\'s"\\x/model $${HOME} %n.gguf'
DIGEST = f"registry.example.com/llama.cpp@sha256:{SHA256}"
ARCHIVE = {"archive_url": "https://example.com/llama-b11312-bin-ubuntu-x64.tar.gz", "archive_sha256": SHA256}
OWN_IMAGE = {"quadlet": {"image": DIGEST, "selinux": "relabel"}, "compose": {"image": DIGEST, "selinux": "disabled"}}

# name: (header, node, wishes, options of all targets, options of one target)
CASES = {
    "one-gpu": (LLAMA, node(*nvidia(24)), {}, {}, {"systemd": {"build": 11312}}),
    "two-gpus": (GLM, node(*nvidia(48, 48, name="NVIDIA L40S")), {}, {"metrics": True}, {"systemd": {"package": "llama.cpp-tools", "build": 11669}}),
    "one-of-two-gpus": (LLAMA, node(*nvidia(24, 24)), {"devices": [UUIDS[1]]}, {}, {"compose": {"gpu_access": "reservation"}}),
    "mig": (LLAMA, node(MIG), {}, {}, {}),
    "amd": (LLAMA, node(RADEON), {}, {}, {"quadlet": {"device_groups": ["44", "991"]}, "compose": {"device_groups": ["44", "991"]}}),
    "amd-without-groups": (LLAMA, node(RADEON), {}, {"device_nodes": ["/dev/kfd", "/dev/dri/renderD128"]}, {}),
    "intel": (LLAMA, node(ARC), {}, {}, {"quadlet": {"device_groups": ["991"]}, "compose": {"engine": "podman", "device_groups": ["991"]}}),
    "vulkan-amd": (LLAMA, node(RADEON), {"backend": "vulkan"}, {}, {"quadlet": {"device_groups": ["991"]}, "compose": {"device_groups": ["991"]}}),
    "vulkan-nvidia": (LLAMA, node(*nvidia(12)), {"backend": "vulkan"}, {}, {"compose": {"engine": "podman"}}),
    "cpu": (LLAMA, node(), {}, {}, {"systemd": {**ARCHIVE, "build": 11312}}),
    "experts-in-ram": (GLM, node(*nvidia(24), ram_gib=256), {}, {}, {}),
    "override-tensor": (QWEN_MOE, node(*nvidia(12)), {"override_tensor": [r"blk\.(1|2)\..*_exps\.=CPU"]}, {}, {}),
    "unified": (GLM, node(GB10, ram_gib=119), {}, {}, {}),
    "mlock": (LLAMA, node(), {"load_mode": "mlock"}, {}, {}),
    "guided": (LLAMA, node(*nvidia(24)), {"emit": "guided"}, {}, {}),
    "key-for-others": (LLAMA, node(*nvidia(24)), {}, {"host": "0.0.0.0", **KEYS, "metrics": True}, {}),
    "tls": (LLAMA, node(*nvidia(24)), {}, {"host": "192.0.2.7", "port": 8443, **KEYS, **TLS, "metrics": True, "public_name": "llm.example.org"}, {}),
    "ipv6": (LLAMA, node(*nvidia(24)), {}, {"host": "::", **KEYS}, {"quadlet": {"api_key_file": None, "api_key_secret": "llm-keys"}}),
    "first-of-two": (LLAMA, node(*nvidia(24, 24)), {"devices": [UUIDS[0]]}, {"name": "chat", "port": 8081}, {}),
    "second-of-two": (QWEN_MOE, node(*nvidia(24, 24)), {"devices": [UUIDS[1]]}, {"name": "code", "port": 8082, "ui": True}, {}),
    "rootless": (LLAMA, node(*nvidia(24)), {}, KEYS, {"quadlet": {"rootless": True}}),
    "rootless-amd": (LLAMA, node(RADEON), {}, {}, {"quadlet": {"rootless": True, "podman_version": "4.9.3"}}),
    "podman-4": (LLAMA, node(*nvidia(24)), {}, {**KEYS, "metrics": True}, {"quadlet": {"podman_version": "4.4"}}),
    "fast-disk": (LLAMA, node(*nvidia(24)), {}, {"disk_bytes_per_second": 3 * 10**9, "memory_limit_bytes": 16 * GIB}, {}),
    "own-image": (LLAMA, node(*nvidia(24)), {}, {"build": 11400}, OWN_IMAGE),
    "odd-path": (LLAMA, node(*nvidia(24)), {}, {"model": ODD, "alias": "a \"b\" 'c' $d %e \\f #g", **KEYS}, {}),
    "at-home": (LLAMA, node(), {}, {"model": "/home/me/models/model.gguf", "user": "1000"}, {}),
    "extra": (LLAMA, node(*nvidia(24)), {}, {"extra_args": ["--threads-http", "8", "--chat-template-kwargs", '{"enable_thinking": false}']}, {}),
}  # fmt: skip


def planned(name):
    header, facts, wishes, _options, _own = CASES[name]
    return plan({**truth.plain(header), "header_only": False}, facts, {"node_name": "node", **wishes})


def rendered(name, target, made=None):
    """The answer for a case and a target."""
    options = {"model": "/srv/models/model.gguf", **CASES[name][3], **CASES[name][4].get(target, {})}
    return manifests(made or planned(name), target, {key: value for key, value in options.items() if value is not None})


def text(answer):
    """An answer as a file: what is written first, then the rest of it."""
    files = "".join(f"==> {file['path']} ({file['mode']})\n{file['content']}\n" for file in answer["files"])
    examples = "".join(f"==> example {name}\n{example}\n" for name, example in answer["examples"].items() if example)
    rest = {key: value for key, value in answer.items() if key not in ("files", "examples")}
    return files + examples + json.dumps(rest, indent=2, ensure_ascii=False) + "\n"
