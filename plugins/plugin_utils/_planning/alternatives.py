# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The alternatives of a choice that the search did not have to look at, and all of them as plain dictionaries."""

from __future__ import annotations

from .._memory.settings import is_quantized
from .._units import human
from .chooser import Rejected
from .context import largest, room


def alternatives(chooser, choice):
    """A list of C({settings, gives, why_not}): what the search rejected, a smaller cache for more context, flash attention off."""
    found = {}
    for item in (*chooser.rejected, *_more_context(chooser, choice), *_without_flash_attention(chooser, choice)):
        found.setdefault(item.settings, item)
    return [{"settings": dict(item.settings), "gives": item.gives, "why_not": item.why_not} for item in found.values()]


def _more_context(chooser, choice):
    """Where the context had to be reduced: what the next allowed cache type would leave."""
    if not choice.fits or choice.why != "reduced":
        return
    allocation = choice.placement.allocation
    kinds = [kind for kind in chooser.cache_types() if is_quantized(kind) and kind != allocation.settings.cache_type_k]
    for kind in kinds[:1]:
        smaller = chooser.probe.with_settings(allocation, cache_type_k=kind, cache_type_v=kind)

        def try_context(ctx_size, smaller=smaller):
            probed = chooser.probe.with_context(smaller, ctx_size)
            return ctx_size, chooser.budget.holds(probed), min(room(chooser.budget, probed))

        ctx_size, fits, left = try_context(chooser.bounds.most)
        if not fits:
            ctx_size, _found = largest(choice.ctx_size, ctx_size, left, try_context)
        if ctx_size is not None and ctx_size > choice.ctx_size:
            yield Rejected(
                (("cache_type_k", kind), ("cache_type_v", kind)),
                f"context {ctx_size} instead of {choice.ctx_size}",
                f"{allocation.settings.cache_type_k} already has everything on the GPU, and more context was not asked for"
                if chooser.devices
                else f"{allocation.settings.cache_type_k} is the more exact one, and more context was not asked for",
            )


def _without_flash_attention(chooser, choice):
    allocation = choice.placement.allocation
    if not choice.fits or not allocation.settings.flash_attn or "flash_attn" in chooser.fixed or is_quantized(allocation.settings.cache_type_v):
        return
    probed = chooser.probe.with_settings(allocation, flash_attn=False)
    more = _total(probed) - _total(allocation)
    if more > 0:
        yield Rejected((("flash_attn", "off"),), f"{human(more)} more of compute buffers", "it needs more memory and is not faster")


def _total(allocation):
    return sum(buffers.total_bytes for buffers in (*allocation.devices, allocation.host))
