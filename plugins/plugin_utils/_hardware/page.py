# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table as docs/gpus.md; a test compares the file with it."""

from __future__ import annotations

from .._units import GIB, MIB
from .apple import APPLE
from .geforce import GEFORCE
from .gpu_model import GB, TERA
from .gpu_models import GPU_MODELS
from .instinct import INSTINCT
from .intel import INTEL
from .jetson import JETSON
from .nvidia_data_centre import DATA_CENTRE
from .radeon import RADEON
from .rtx_pro import RTX_PRO
from .ryzen import RYZEN

SECTIONS = (
    ("GeForce and TITAN", GEFORCE),
    ("Quadro, RTX A, RTX Ada and RTX PRO", RTX_PRO),
    ("NVIDIA data centre", DATA_CENTRE),
    ("Jetson and GB10", JETSON),
    ("Radeon", RADEON),
    ("Instinct", INSTINCT),
    ("Ryzen with graphics", RYZEN),
    ("Intel Arc", INTEL),
    ("Apple", APPLE),
)

HEAD = """<!--
Copyright: Contributors to the prositronic.infra collection
SPDX-License-Identifier: GPL-3.0-or-later

Written from plugins/plugin_utils/_hardware by page.py; tests/unit compares it.
-->
# GPUs

{count} GPUs that people run llama.cpp on. A node that isn't there is described with an id of this table:

```
{{gpus: [{{model: nvidia-l4, count: 2}}], ram: {{bytes: 549755813888, type: ddr5-4800, channels: 12}}}}
```

`ansible-doc -t filter prositronic.infra.llama_plan` has all keys. A GPU that `gpu_facts` found gets from the table what the facts don't tell,
where the name its driver gives is here.

* **Reported** is what the driver's tool gives as the total, which is less than the label. `~` marks one that no report was found of: it is
  estimated from the label and from what cards of the same kind lack.
* **Free** is what is left of it on an idle machine without a display: less what the driver keeps for itself. Give `memory_free_bytes` where
  you know better. A GPU that shares the RAM has no figure: the RAM is its memory, of which macOS lets it have two thirds (up to 36 GiB) or three
  quarters, the amdgpu driver and Intel's half.
* **GB/s**, **FP16** and **INT8** (tera-operations per second, dense, accumulated in FP32 where that makes a difference) are peaks that no program reaches.
* **Bus** is what connects it with the RAM.
"""

FACTS = """## Where gpu_facts looks

The first source that answers counts; what it leaves open comes from the next. All programs and NVML share one time limit (`timeout`), and whatever
hangs is left behind. Without root nothing is missing but what the table below says.

| GPUs | sources, in order | |
| --- | --- | --- |
| NVIDIA | `nvidia-smi` | everything, MIG instances and vGPUs too |
| | `libnvidia-ml.so.1` (NVML), in a process of its own | the same, where `nvidia-smi` isn't there or can't be run |
| | `/proc/driver/nvidia/gpus`, and this table by the card's PCI identity | names and sizes where neither answers; free memory is not known |
| | the device tree | a Jetson without `nvidia-smi` |
| AMD | `amdgpu` in `/sys`, KFD's topology, then `amd-smi` or `rocm-smi` | |
| Intel | Intel's own `i915` in `/sys`, then `xpu-smi`, then this table or the size of the chips that `xe` shows | free memory only from the first two |
| Apple | `sysctl`, `vm_stat`, `system_profiler` | GPU cores, the family of Metal |
| any | `/sys/bus/pci` | PCIe, NUMA node, cards that nothing drives, the render node |

* A device with `usable: false` is one whose driver doesn't work, or whose memory nothing tells: `problems` say which and what mends it, and plans leave it out.
* `memory_free_bytes` is `null` where only the size is known; a plan then takes the figure of the table below.
* `memory_bandwidth_theoretical_bytes_per_second`, `memory_type` and `memory_channels` of the RAM are in the firmware's table, which only root may read.
  With `measure: true` the RAM is copied too, and `memory_bandwidth_bytes_per_second` is what came of it.
* `device_group_ids` of AMD and Intel GPUs are the numbers of the groups that may open the GPU's devices on this node, for a container's `--group-add`:
  its image knows the host's `render` by another number, or not at all.

```yaml
- name: What a container needs for the GPUs of a node
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Gather what it has
      prositronic.infra.gpu_facts:

    - name: Show the render nodes and the groups
      ansible.builtin.debug:
        msg: >-
          {{ ansible_facts['gpu'].devices | selectattr('usable') | map(attribute='render_node') | select | list }}
          {{ ansible_facts['gpu'].devices | selectattr('usable') | map(attribute='device_group_ids') | flatten | unique }}
```
"""

COLUMNS = (
    "| id | name | GiB sold | reported MiB | free MiB | GB/s | FP16 | INT8 | target | bus |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def page():
    """The text of docs/gpus.md."""
    return "\n".join([HEAD.format(count=len(GPU_MODELS)), FACTS, *(_section(title, models) for title, models in SECTIONS)])


def _section(title, models):
    sources = sorted({model.source for model in models}) + sorted({f"Memory: {model.memory_source}" for model in models})
    return "\n".join([f"## {title}", "", COLUMNS, *(_row(model) for model in models), "", *(f"* {source}." for source in sources), ""])


def _row(model):
    cells = (
        f"`{model.id}`",
        model.name,
        ", ".join(str(size // GIB) for size in model.memory_sizes_bytes),
        "" if model.memory_total_bytes is None else f"{'' if model.memory_seen else '~'}{model.memory_total_bytes // MIB}",
        "" if model.memory_free_bytes is None else str(model.memory_free_bytes // MIB),
        f"{model.memory_bandwidth_bytes_per_second / GB:g}",
        _tera(model.matrix_flops),
        "" if model.int8_ops is None else _tera(model.int8_ops),
        model.compute_capability or model.gfx_target or "",
        "shared" if model.link is None else model.link.name,
    )
    return "| " + " | ".join(cells) + " |"


def _tera(operations):
    return f"{operations / TERA:.4g}"
