# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of the chart for many plans: each full-size model of tests/truth on many machines, with the options of the filter helm_values in turn."""

from __future__ import annotations

import pathlib
from itertools import product

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.plan import plan

HEADERS = pathlib.Path(__file__).resolve().parents[1] / "truth" / "headers"
GIB = 2**30
SHA256 = "0123456789abcdef" * 4
DIGEST = f"registry.example.com/llama.cpp@sha256:{SHA256}"
MODELS = (
    "DeepSeek-V2-Lite-Q4_K_M", "DeepSeek-V3.1-Q4_K_M", "GLM-4.5-Air-Q4_K_M", "Gemma-2-9B-Q4_K_M", "Gemma-3-27B-Q4_K_M", "Granite-4.0-H-Small-Q4_K_M",
    "Llama-3.1-8B-Q4_K_M", "Llama-3.2-3B-Q4_K_M", "Llama-4-Scout-17B-16E-Q4_K_M", "Mamba-Codestral-7B-Q4_K_M", "Mistral-Small-3.2-24B-Q6_K",
    "Mixtral-8x7B-Q4_K_M", "Phi-4-14B-Q4_K_M", "Qwen2.5-7B-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M", "Qwen3-8B-Q4_K_M", "Qwen3-Next-80B-A3B-Q4_K_M",
)  # fmt: skip
MACHINES = {
    "t4": ([("nvidia-t4", 1)], 64), "l4": ([("nvidia-l4", 1)], 512), "l4-x2": ([("nvidia-l4", 2)], 128), "l40s": ([("nvidia-l40s", 1)], 256),
    "l40s-x4": ([("nvidia-l40s", 4)], 512), "a100-x2": ([("nvidia-a100-sxm4-80gb", 2)], 512), "h100": ([("nvidia-h100-sxm5", 1)], 512),
    "h100-x8": ([("nvidia-h100-sxm5", 8)], 1024), "h200": ([("nvidia-h200", 1)], 512), "b200": ([("nvidia-b200", 1)], 512),
    "rtx-3090": ([("nvidia-rtx-3090", 1)], 64), "rtx-4090-x2": ([("nvidia-rtx-4090", 2)], 128), "rtx-5090": ([("nvidia-rtx-5090", 1)], 192),
    "gb10": ([("nvidia-gb10", 1)], 119), "mi300x": ([("amd-mi300x", 1)], 512), "rx-7900-xtx": ([("amd-rx-7900-xtx", 1)], 64),
    "b60-x2": ([("intel-arc-pro-b60", 2)], 128), "cpu": ([], 512),
}  # fmt: skip
SOURCES = (
    {"source": "claim", "claim_name": "models"},
    {"files": [{"url": "https://models.example.com/model-00001-of-00002.gguf", "sha256": SHA256, "size_bytes": 376 * 10**9}], "token_secret": "hf"},
    {"files": [{"url": "https://models.example.com/model.gguf"}], "claim_name": "models", "sub_path": "llama"},
    {"source": "image", "image": f"registry.example.com/model@sha256:{SHA256}", "file": "model.gguf"},
    {"source": "hostPath", "host_path": "/srv/models"},
    {"files": [{"url": "https://models.example.com/model.gguf"}], "storage_class": "fast", "access_modes": ["ReadWriteMany"], "size": "1Ti"},
)
KEY = {"api_key_secret": "llm-keys"}
OPTIONS = (
    {},
    {**KEY, "metrics": True, "cpu": "8", "values": {"podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}},
    {**KEY, "replicas": 3, "kind": "StatefulSet", "tls_secret": "tls"},
    {"image": DIGEST, "build": 11312, "image_pull_secrets": ["mirror"], "runtime_class": "nvidia", "ui": True},
    {**KEY, "port": 9090, "alias": 'a "b" {{ .Values }} #c', "values": {"ingress": {"enabled": True, "host": "llm.example.com", "tlsSecretName": "tls"}}},
    {**KEY, "values": {"httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}], "hostnames": ["llm.example.com"]}}},
    {**KEY, "kind": "StatefulSet", "values": {"keda": {"enabled": True, "serverAddress": "http://prometheus.monitoring:9090"}}},
    {"emit": "guided", "extra_args": ["--chat-template-kwargs", '{"enable_thinking": false}'], "environment": {"GGML_CUDA_NO_PINNED": "1"}},
    {**KEY, "values": {"networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}, "podDisruptionBudget": {"enabled": True}}},
)


def variants():
    """(name, values) of every plan that fits."""
    models = {name: {**read_model(str(HEADERS / f"{name}.gguf")), "header_only": False} for name in MODELS}
    for number, (model, machine) in enumerate(product(MODELS, MACHINES)):
        gpus, ram_gib = MACHINES[machine]
        described = {"gpus": [{"model": name, "count": count} for name, count in gpus], "ram_bytes": ram_gib * GIB, "cuda_max": "13.4"}
        try:
            made = plan(models[model], described, {"node_name": machine})
        except InfraError:
            continue
        if made["fits"]:
            option = OPTIONS[number % len(OPTIONS)]
            source = SOURCES[(number // len(OPTIONS)) % len(SOURCES)]
            yield (
                f"{model} on {machine}, options {number % len(OPTIONS)}, source {(number // len(OPTIONS)) % len(SOURCES)}",
                helm_values(made, {"model": source, **option}),
            )
