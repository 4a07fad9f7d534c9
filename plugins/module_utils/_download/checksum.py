# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SHA-256 of files."""

from __future__ import annotations

import hashlib

_CHUNK_BYTES = 4 * 1024 * 1024


def file_sha256(path, progress=None, digest=None):
    """The hexadecimal SHA-256 of a file. C(progress) is called with the bytes of each chunk, C(digest) is a hash to go on with."""
    digest = digest or hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        while True:
            chunk = stream.read(_CHUNK_BYTES)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)
            if progress is not None:
                progress(len(chunk))
