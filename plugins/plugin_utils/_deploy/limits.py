# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The memory limit of a server, and how long its start may take."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from .._units import MIB, human

DISK_BYTES_PER_SECOND = 150 * 10**6
"""Where nothing is told: a hard disk, or a network of 1 Gbit/s and a bit."""

READ_SHARE = 2
"""A disk that others use as well gives half. The start is a limit and not a forecast: what is too long costs nothing."""

START_SECONDS = 120
"""For the rest of a start: the driver, kernels that are compiled, buffers, the warm-up."""

PAGE = MIB


def start_timeout_seconds(size_bytes, disk_bytes_per_second, asked=None):
    """(seconds, the reason)."""
    if asked is not None:
        return asked, f"Start timeout {asked} s: as asked."
    speed = disk_bytes_per_second or DISK_BYTES_PER_SECOND
    reading = -(-size_bytes * READ_SHARE // speed)
    told = f"{speed / 10**6:.0f} MB/s" + ("" if disk_bytes_per_second else ", which is assumed as the disk's speed is not told")
    return (
        START_SECONDS + reading,
        f"Start timeout {START_SECONDS + reading} s: twice the time to read {human(size_bytes)} at {told}, and {START_SECONDS} s for the rest.",
    )


def whole_pages(size_bytes):
    return -(-size_bytes // PAGE) * PAGE


def memory_limit_bytes(host, asked, where="llama_server_manifests"):
    """(bytes, the reason). C(host): the plan's memory.host. Raises InfraError for less than what the server needs to start."""
    least, recommended = host["min_ram_bytes"], host["recommended_ram_bytes"]
    if asked is None:
        rounded = whole_pages(recommended)
        return rounded, f"Memory limit {human(rounded)}: with this the server runs without paging, prompt cache and checkpoints included."
    if asked < least:
        raise InfraError("the server would not start", f"{where}.memory_limit_bytes", f"{asked} ({human(asked)})", f"at least {least} ({human(least)})")
    if asked < recommended:
        return asked, f"Memory limit {human(asked)}: as asked; below {human(recommended)} weights may be read from the disk again."
    return asked, f"Memory limit {human(asked)}: as asked."
