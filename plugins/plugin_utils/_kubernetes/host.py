# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RAM, processor and system of a node, from its Node object.

What pods may take of the RAM is allocatable, not what is free of it: the cluster knows no figure for that.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Go's names of architectures, which nodeInfo has: uname's."""

CPUID = "feature.node.kubernetes.io/cpu-cpuid."
SIMD = {"AVX": "avx", "AVX2": "avx2", "AVX512F": "avx512f", "AMXTILE": "amx_tile", "ASIMD": "neon", "SVE": "sve"}
"""Node Feature Discovery's names (https://kubernetes-sigs.github.io/node-feature-discovery/stable/usage/features.html): those of the facts."""

HUGEPAGES = ("hugepages-2Mi", "hugepages-1Gi")
ENGINES = {"containerd": "containerd", "cri-o": "crio", "docker": "docker"}


def host(node):
    """The facts under C(host)."""
    total = node.amount("memory", capacity=True)
    available = node.amount("memory")
    if not total or available is None:
        raise InfraError("the node's RAM is missing", f"{node.where}.status", expected="memory in capacity and allocatable")
    if available > total:
        raise InfraError("more allocatable memory than there is", f"{node.where}.status.allocatable.memory", str(available), f"at most {total}")
    hugepages = [size for size in (node.amount(name, capacity=True) for name in HUGEPAGES) if size is not None]
    return {
        "memory_total_bytes": total,
        "memory_available_bytes": available,
        "memory_limit_bytes": None,
        "cpu": None,
        "cores_physical": None,
        "cores_logical": node.amount("cpu", capacity=True) or None,
        "cores_performance": None,
        "numa_nodes": None,
        "hugepages_total_bytes": sum(hugepages) if hugepages else None,
        "hugepages_free_bytes": None,
        "simd": [name for label, name in SIMD.items() if node.label(f"{CPUID}{label}") == "true"],
        "memory_bandwidth_bytes_per_second": None,
        "memory_bandwidth_theoretical_bytes_per_second": None,
        "memory_type": None,
        "memory_channels": None,
        "disks": [],
    }


def platform(node):
    """The facts under C(platform)."""
    kernel, architecture, runtime = (_text(node.info.get(key)) for key in ("kernelVersion", "architecture", "containerRuntimeVersion"))
    architecture = architecture or node.label("kubernetes.io/arch", "beta.kubernetes.io/arch")
    system = _text(node.info.get("operatingSystem")) or node.label("kubernetes.io/os") or "linux"
    return {
        "system": system.capitalize(),
        "machine": MACHINES.get(architecture, architecture),
        "kernel": kernel,
        "wsl": "microsoft" in (kernel or "").lower(),
        "container": False,
        "jetson": None,
        "kubernetes_node": True,
        "gpu_operator": any(key.startswith("nvidia.com/gpu.deploy.") for key in node.labels),
        "selinux": None,
        "cgroup_version": None,
        "engines": _engines(runtime),
        "toolkit": None,
        "cdi": {"specs": [], "duplicates": []},
    }


def _engines(runtime):
    name, separator, version = (runtime or "").partition("://")
    return [{"name": ENGINES[name], "version": version, "cdi": None, "rootless": False}] if separator and name in ENGINES else []


def _text(value):
    return value if isinstance(value, str) and value else None
