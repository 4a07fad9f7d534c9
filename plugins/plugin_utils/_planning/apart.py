# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tensors that stay in RAM while the rest of their blocks works on a GPU: which, and how llama-server is told.

Each block of which a tensor stays in RAM costs a token two changes between GPU and CPU, so as few blocks as possible
are touched, from the first of a GPU on or from the last, and of these as few bytes as possible.
"""

from __future__ import annotations

from .._units import MIB

CHANGE_BYTES = MIB
"""What RAM delivers to a token during one change between GPU and CPU: about 20 microseconds at 50 GB/s (an assumption)."""

PUT_BACK_AT_MOST = 4
"""Single tensors that are tried together."""


def choose(tensors, too_many_bytes, share=1.0, from_last=False):
    """{block: names that stay in RAM} of C(tensors), {block: {name: bytes}}, that free at least C(too_many_bytes).

    None where all of them together don't.
    """
    if too_many_bytes <= 0:
        return {}
    blocks = [block for block in sorted(tensors, reverse=from_last) if tensors[block]]
    freed, best, least = 0, None, 0.0
    for count, block in enumerate(blocks, 1):
        freed += sum(tensors[block].values())
        if freed < too_many_bytes:
            continue
        touched = blocks[:count]
        back, back_bytes = _put_back(tensors, touched, freed - too_many_bytes)
        chosen = {}
        for number in touched:
            names = tuple(name for name in tensors[number] if (number, name) not in back)
            if names:
                chosen[number] = names
        cost = (freed - back_bytes) * share + 2 * len(chosen) * CHANGE_BYTES
        if best is not None and cost >= least:
            break
        if best is not None:
            return chosen
        best, least = chosen, cost
    return best


def _put_back(tensors, blocks, room_bytes):
    """({(block, name)}, bytes) of the largest few tensors together within C(room_bytes), from the end of C(blocks) on."""
    of_size = {}
    for block in reversed(blocks):
        for name, size in tensors[block].items():
            if size <= room_bytes:
                of_size.setdefault(size, []).append((block, name))
    counts, total = _fullest(sorted(((size, len(places)) for size, places in of_size.items()), reverse=True), room_bytes, PUT_BACK_AT_MOST)
    return {place for size, count in counts.items() for place in of_size[size][:count]}, total


def _fullest(sizes, room_bytes, most):
    """({size: count}, bytes) of the C(most) sizes that together come nearest to C(room_bytes); sizes are (size, available)."""
    if not sizes or most == 0:
        return {}, 0
    (size, available), rest = sizes[0], sizes[1:]
    best, best_bytes = {}, -1
    for count in range(min(available, most, room_bytes // size), -1, -1):
        counts, total = _fullest(rest, room_bytes - count * size, most - count)
        if total + count * size > best_bytes:
            best, best_bytes = ({size: count, **counts} if count else counts), total + count * size
    return best, best_bytes


def flags(chosen, sizes, devices):
    """(n_cpu_moe, override_tensor) that leave C(chosen), {block: names}, in RAM.

    C(devices): the name of the device of each block, None for the host; n_cpu_moe takes all blocks from the first on, so
    that single tensors are put back there.
    """
    upto = max(chosen) + 1
    if sizes.has_experts and all(block in chosen for block in range(upto) if sizes.apart[block] and devices[block] is not None):
        back = []
        for block in sorted(chosen):
            names = [name for name in sizes.apart[block] if name not in chosen[block]]
            if names:
                back.append(f"{_pattern([block], names, True)}={devices[block]}")
        return upto, back
    by_names = {}
    for block in sorted(chosen):
        by_names.setdefault(tuple(sorted(chosen[block])), []).append(block)
    return 0, [f"{_pattern(blocks, names, sizes.has_experts)}=CPU" for names, blocks in by_names.items()]


def _pattern(blocks, names, has_experts):
    numbers = str(blocks[0]) if len(blocks) == 1 else f"({'|'.join(map(str, blocks))})"
    # the biases of experts go with them (n_cpu_moe); of other feed-forward parts they stay
    return f"blk\\.{numbers}\\.({'|'.join(sorted(names))})" + ("" if has_experts else "\\.weight")
