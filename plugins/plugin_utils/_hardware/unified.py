# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all rows of GPUs that share the RAM have in common: the RAM is theirs, so its size comes from the machine."""

from __future__ import annotations

from .gpu_model import GB, TERA, GpuModel, gib, mib


def unified(id, name, vendor, sizes, gb_s, units, tflops, *, total=None, source, memory_source=None, cc=None, gfx=None, tops=None, aliases=()):
    """A row. C(sizes): GiB that it is sold with; C(total): MiB that the system reports, where it is sold with one size and a report was found."""
    return GpuModel(
        id=id,
        name=name,
        vendor=vendor,
        memory_sizes_bytes=gib(*sizes),
        memory_total_bytes=mib(total),
        memory_free_bytes=None,
        memory_seen=total is not None,
        memory_bandwidth_bytes_per_second=int(gb_s * GB),
        units=units,
        matrix_flops=int(tflops * TERA),
        int8_ops=None if tops is None else int(tops * TERA),
        link=None,
        compute_capability=cc,
        gfx_target=gfx,
        unified_memory=True,
        source=source,
        memory_source=memory_source or "sizes as sold; what the system reports is some percent less",
        aliases=aliases,
    )
