# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of the chart for a small plan, written by hand: a model of 4.6 GB that is downloaded to a claim of the release, on one L4."""

from __future__ import annotations

import hashlib
import json

PRODUCT = "NVIDIA-L4"
DOCUMENT = json.dumps({"model": {"name": "Llama 3.1 8B"}, "context_length": 8192}) + "\n"


def values(**changes):
    """C(changes) are keys of the first level."""
    memory = {"memory": str(4 * 1024**3)}
    term = {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": [PRODUCT]}]}
    file = {"name": "llama.gguf", "url": "https://models.example/llama.gguf", "sizeBytes": 4920739232, "sha256": "7b" * 32}
    made = {
        "plan": {
            "schemaVersion": 1,
            "digest": f"sha256:{hashlib.sha256(DOCUMENT.encode()).hexdigest()}",
            "model": "Llama 3.1 8B",
            "quantization": "Q4_K_M",
            "gpus": ["NVIDIA L4"],
            "summary": "All 33 layers on the GPU.",
            "reasons": ["The whole model fits."],
            "warnings": [],
            "document": DOCUMENT,
        },
        "image": {"repository": "ghcr.io/ggml-org/llama.cpp", "tag": "server-cuda13-b11312"},
        "server": {"args": ["--ctx-size", "8192", "--n-gpu-layers", "33"]},
        "model": {"file": "llama.gguf", "source": "download", "download": {"files": [file]}, "claim": {"size": "10Gi"}},
        "gpu": {"resourceName": "nvidia.com/gpu", "count": 1},
        "resources": {"requests": memory, "limits": memory},
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    }
    return {**made, **changes}
