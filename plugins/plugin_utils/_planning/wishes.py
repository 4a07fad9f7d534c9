# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user asks of a plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .._backend.choice import ImageWishes
from .._backend.kinds import KINDS
from .._memory import settings as memory_settings
from .._options import INT32_MAX, Option, check_option, check_options
from .._units import GIB

CHOSEN_UNLESS_FIXED = ("cache_type_k", "cache_type_v", "flash_attn", "batch_size", "ubatch_size", "parallel", "kv_unified", "op_offload", "kv_offload")
PLACEMENT = ("tensor_split", "split_mode", "main_gpu", "n_cpu_moe", "cpu_moe", "override_tensor")
"""Settings of llama-server that a user may fix; the rest is planned around them. With one of PLACEMENT only the number of layers is left to place."""

LOAD_MODES = ("auto", "none", "mmap", "mlock", "mmap+mlock", "dio")
"""common/arg.cpp: --load-mode"""

PREFER = ("decode", "prefill", "context")
EMIT = ("pinned", "guided")

SPEC = {
    **{name: memory_settings.SPEC[name] for name in (*CHOSEN_UNLESS_FIXED, *PLACEMENT, "gpu_layers")},
    "ctx_size": Option("int", minimum=1, maximum=INT32_MAX),
    "cache_types": Option("strs"),
    "load_mode": Option("str", choices=LOAD_MODES),
    "reserve_bytes": Option("int", minimum=0),
    "budget_bytes": Option("int", minimum=0),
    "ram_reserve_bytes": Option("int", minimum=0),
    "ram_budget_bytes": Option("int", minimum=0),
    "devices": Option("strs"),
    "allow_cpu": Option("bool"),
    "prefer": Option("str", choices=PREFER),
    "emit": Option("str", choices=EMIT),
    "backend": Option("str", choices=("auto", *KINDS)),
    "image": Option("line"),
    "image_repository": Option("line"),
    "image_build": Option("int", minimum=1),
    "node_name": Option("line"),
}
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}")
RANGE = {"min": SPEC["ctx_size"], "max": SPEC["ctx_size"]}

DEFAULT_CACHE_TYPES = ("f16", "q8_0")
DEFAULT_RAM_RESERVE_BYTES = 2 * GIB
"""Left free in RAM for the system. What llama-server takes outside its buffers is counted (_memory/host)."""


@dataclass(frozen=True)
class Wishes:
    """None where the plan may choose. C(fixed) goes to llama-server as it is.

    C(ctx_min) is what the user asked for at least; equal to C(ctx_max) for one number.
    C(reserve_bytes) and C(budget_bytes) are one number for all GPUs or one for each.
    """

    ctx_min: int | None
    ctx_max: int | None
    gpu_layers: int | str | None
    reserve_bytes: tuple[int, ...] | None
    budget_bytes: tuple[int, ...] | None
    ram_reserve_bytes: int
    ram_budget_bytes: int | None
    cache_types: tuple[str, ...]
    fixed: tuple[tuple[str, object], ...]
    load_mode: str | None
    devices: tuple[str, ...] | None
    allow_cpu: bool
    prefer: str
    emit: str
    backend: str | None
    image: ImageWishes
    node_name: str | None

    @property
    def placement_is_fixed(self):
        return any(name in PLACEMENT for name, _value in self.fixed)

    @property
    def slots(self):
        """The most slots that the plan may choose."""
        return memory_settings.slots(dict(self.fixed))[0]

    def on(self, node):
        """These wishes with the RAM budget as the reserve that leaves it on a Node."""
        if self.ram_budget_bytes is None:
            return self
        return replace(self, ram_reserve_bytes=max(node.memory_available_bytes - self.ram_budget_bytes, self.ram_reserve_bytes))


def wishes_from_plain(given):
    """Wishes from a dictionary of options; InfraError for an unknown or malformed one, and for two that exclude each other."""
    apart = ("ctx_size", "reserve_bytes", "budget_bytes")
    option = check_options({name: None if name in apart else value for name, value in given.items()}, SPEC, "llama_plan")
    ctx_min, ctx_max = _context(given.get("ctx_size"))
    wishes = Wishes(
        ctx_min=ctx_min,
        ctx_max=ctx_max,
        gpu_layers=None if option["gpu_layers"] in ("auto", -1) else option["gpu_layers"],
        reserve_bytes=_one_or_each(given.get("reserve_bytes"), "reserve_bytes"),
        budget_bytes=_one_or_each(given.get("budget_bytes"), "budget_bytes"),
        ram_reserve_bytes=_ram_reserve(option),
        ram_budget_bytes=option["ram_budget_bytes"],
        cache_types=_cache_types(option),
        fixed=tuple((name, _frozen(option[name])) for name in (*CHOSEN_UNLESS_FIXED, *PLACEMENT) if option[name] is not None),
        load_mode=option["load_mode"],
        devices=None if option["devices"] is None else tuple(option["devices"]),
        allow_cpu=option["allow_cpu"] is not False,
        prefer=option["prefer"] or "decode",
        emit=option["emit"] or "pinned",
        backend=None if option["backend"] == "auto" else option["backend"],
        image=_image(option),
        node_name=option["node_name"],
    )
    _refuse_contradictions(wishes, option)
    return wishes


def _context(given):
    """(least, most) tokens of a number or of C({min, max}), None where open."""
    if not isinstance(given, dict):
        size = check_option(given, SPEC["ctx_size"], "llama_plan.ctx_size")
        return size, size
    bounds = check_options(given, RANGE, "llama_plan.ctx_size")
    if None not in bounds.values() and bounds["min"] > bounds["max"]:
        raise InfraError("the least is more than the most", "llama_plan.ctx_size", shown(given))
    return bounds["min"], bounds["max"]


def _one_or_each(given, name):
    """Whole numbers, one for all GPUs or one for each; None where not given."""
    where = f"llama_plan.{name}"
    if not isinstance(given, list):
        value = check_option(given, SPEC[name], where)
        return None if value is None else (value,)
    values = tuple(check_option(item, SPEC[name], f"{where}[{index}]") for index, item in enumerate(given))
    if not values or None in values:
        raise InfraError("a number is missing", where, shown(given), "a whole number of bytes for each GPU")
    return values


def _ram_reserve(option):
    """As given; else the default, which a budget takes the place of."""
    if option["ram_reserve_bytes"] is not None:
        return option["ram_reserve_bytes"]
    return DEFAULT_RAM_RESERVE_BYTES if option["ram_budget_bytes"] is None else 0


def _cache_types(option):
    """The types that the plan may choose from, the preferred first; none where the user fixed one."""
    types = option["cache_types"]
    fixed = [name for name in ("cache_type_k", "cache_type_v") if option[name] is not None]
    if types is None:
        return () if fixed else DEFAULT_CACHE_TYPES
    if fixed:
        raise InfraError(f"both cache_types and {fixed[0]} are given", "llama_plan", fix="Give the types to choose from, or the one to use")
    if not types:
        raise InfraError("no type to choose from", "llama_plan.cache_types", shown(types))
    return tuple(
        check_option(kind, memory_settings.SPEC["cache_type_k"], f"llama_plan.cache_types[{index}]") for index, kind in enumerate(dict.fromkeys(types))
    )


def _image(option):
    """A reference as it is, or where the images lie and which build."""
    image, repository = (_reference(option[name], name) for name in ("image", "image_repository"))
    if image is not None and (repository is not None or option["image_build"] is not None):
        raise InfraError("image is given whole, and in parts", "llama_plan", fix="Leave image out, or image_repository and image_build")
    return ImageWishes(image, repository, option["image_build"])


def _reference(text, name):
    if text is not None and not REFERENCE.fullmatch(text):
        raise InfraError("not the name of an image", f"llama_plan.{name}", shown(text), "such as registry.example.com/llama.cpp")
    return text


def _frozen(value):
    return tuple(value) if isinstance(value, list) else value


def _refuse_contradictions(wishes, option):
    if option["devices"] == []:
        raise InfraError("no GPU to use", "llama_plan.devices", "[]", "at least one uuid", "For none, say backend=cpu")
    if wishes.backend == "cpu" and (wishes.devices or wishes.gpu_layers):
        raise InfraError(f"backend=cpu and {'devices' if wishes.devices else 'gpu_layers'} exclude each other", "llama_plan", fix="Leave one of them out")
    if wishes.allow_cpu:
        return
    on_host = [
        name
        for name, contradicts in (
            ("backend=cpu", wishes.backend == "cpu"),
            ("kv_offload=false", option["kv_offload"] is False),
            ("cpu_moe", bool(option["cpu_moe"])),
            ("n_cpu_moe", bool(option["n_cpu_moe"])),
        )
        if contradicts
    ]
    if on_host:
        raise InfraError(f"allow_cpu=false and {on_host[0]} exclude each other", "llama_plan", fix="Leave one of them out")
