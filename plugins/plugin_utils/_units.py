# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bytes as people read them. Private: not an interface for other collections."""

from __future__ import annotations

KIB = 1024
MIB = 1024**2
GIB = 1024**3


def human(size_bytes):
    """'640 MiB', '21.0 GiB'; never a GB that means GiB."""
    if abs(size_bytes) < GIB:
        return f"{size_bytes / MIB:.0f} MiB"
    return f"{size_bytes / GIB:.1f} GiB"


def counted(number, noun):
    """'1 block', '2 blocks'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
