# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small inventory and the models that are planned for it."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.plans import plans
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

GIB = 1024**3
NODES = {
    "l4": {"gpus": [{"model": "nvidia-l4"}], "ram_bytes": 512 * GIB},
    "two": {"gpus": [{"model": "nvidia-l4", "count": 2}], "ram_bytes": 64 * GIB},
    "cpu": {"ram_bytes": 64 * GIB},
}
ODD = "<b>|odd_`x`</b>"
"""The name of a model that could not be read."""


def models():
    return {"small": truth.plain("Llama-3.1-8B-Q4_K_M.gguf"), "large": truth.plain("DeepSeek-V3.1-Q4_K_M.gguf"), ODD: {"error": "x.gguf: <i>no</i>"}}


def plans_by_node():
    return {name: plans(models(), node, {"node_name": name}) for name, node in NODES.items()}
