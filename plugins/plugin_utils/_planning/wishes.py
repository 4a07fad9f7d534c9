# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user asks of a plan: settings fixed by hand, the context wanted, and memory to leave alone."""

from __future__ import annotations

from dataclasses import dataclass

from .._memory import settings as memory_settings
from .._options import Option, check_options
from .._units import GIB

FIXED = ("cache_type_k", "cache_type_v", "flash_attn", "batch_size", "ubatch_size", "parallel", "kv_unified", "op_offload", "kv_offload")
"""Settings of llama-server that a user may fix; the rest is planned around them."""

SPEC = {
    **{name: memory_settings.SPEC[name] for name in FIXED},
    "ctx_size": Option("int", minimum=1),
    "gpu_layers": memory_settings.SPEC["gpu_layers"],
    "reserve_bytes": Option("int", minimum=0),
    "ram_reserve_bytes": Option("int", minimum=0),
    "backend": Option("str", choices=("auto", "cpu")),
    "node_name": Option("str"),
}

DEFAULT_RESERVE_BYTES = GIB
"""Left free on each GPU: the CUDA context and library workspaces lie outside llama.cpp's buffers, other programs too."""

DEFAULT_RAM_RESERVE_BYTES = 2 * GIB
"""Left free in RAM for the system and for llama-server outside its buffers."""


@dataclass(frozen=True)
class Wishes:
    """C(ctx_size) and C(gpu_layers) are None where the plan may choose; C(fixed) goes to llama-server as it is."""

    ctx_size: int | None
    gpu_layers: int | str | None
    reserve_bytes: int
    ram_reserve_bytes: int
    fixed: tuple[tuple[str, object], ...]
    cpu_only: bool
    node_name: str | None


def wishes_from_plain(given):
    """Wishes from a dictionary of options; InfraError for an unknown or malformed one."""
    option = check_options(given, SPEC, "llama_plan")
    return Wishes(
        ctx_size=option["ctx_size"],
        gpu_layers=None if option["gpu_layers"] in ("auto", -1) else option["gpu_layers"],
        reserve_bytes=DEFAULT_RESERVE_BYTES if option["reserve_bytes"] is None else option["reserve_bytes"],
        ram_reserve_bytes=DEFAULT_RAM_RESERVE_BYTES if option["ram_reserve_bytes"] is None else option["ram_reserve_bytes"],
        fixed=tuple((name, option[name]) for name in FIXED if option[name] is not None),
        cpu_only=option["backend"] == "cpu",
        node_name=option["node_name"],
    )
