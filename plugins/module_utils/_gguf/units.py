# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes as people read them."""

from __future__ import annotations


def size_text(size_bytes):
    """C(4920734944 bytes (4.58 GiB)); small sizes in bytes only."""
    if size_bytes >= 1 << 30:
        return f"{size_bytes} bytes ({size_bytes / (1 << 30):.2f} GiB)"
    if size_bytes >= 1 << 20:
        return f"{size_bytes} bytes ({size_bytes / (1 << 20):.2f} MiB)"
    return f"{size_bytes} bytes"
