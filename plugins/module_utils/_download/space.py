# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether everything fits, before the first byte is fetched."""

from __future__ import annotations

import os

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.units import size_text

# File systems need room for their own records.
_SPARE = 1.02


def check_space(directory, needed_bytes):
    """Raises InfraError where C(needed_bytes) and 2 % do not fit on the file system of C(directory)."""
    there = directory
    while not os.path.exists(there):
        there = os.path.dirname(there)
    status = os.statvfs(there)
    free_bytes, needed_bytes = status.f_bavail * status.f_frsize, int(needed_bytes * _SPARE)
    if needed_bytes > free_bytes:
        fix = "Free some space, or choose another directory."
        raise InfraError("not enough free space for the download", where=directory, got=size_text(free_bytes), expected=size_text(needed_bytes), fix=fix)
