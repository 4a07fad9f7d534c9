# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a server into a partial file, by as many requests as it takes."""

from __future__ import annotations

import time

from ansible_collections.prositronic.infra.plugins.module_utils._download.remote import range_start, remote_of
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.transport import Refused, Unreachable
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.units import size_text

_CHUNK_BYTES = 1024 * 1024
# Slower than that for as long as a timeout is no transfer but a stuck connection.
_SLOWEST_BYTES_PER_SECOND = 1024


class Changed(InfraError):
    """The server has another version of the file by now."""


def transfer(client, url, remote, partial, patience, timeout, progress, say):
    """Returns when C(partial) has the size of C(remote). C(progress) is called with bytes, negative ones where a part is given up."""
    while partial.size < remote.size_bytes:
        try:
            _request(client, url, remote, partial, timeout, progress, say)
        except Refused as error:
            if error.status == 416:
                raise Changed("the file on the server became shorter", where=error.where) from None
            patience.bear(error, partial.size)
        except Unreachable as error:
            patience.bear(error, partial.size)


def _request(client, url, remote, partial, timeout, progress, say):
    if partial.size and not remote.is_same(remote):
        _anew(partial, progress, say, "the server tells no version of the file that would let one go on")
    start, headers = partial.size, {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        # With a checksum the content decides; the hub's servers give one file several ETags.
        if remote.sha256 is None and remote.validator:
            headers["If-Range"] = remote.validator
    with client.open(url, headers, "the model file") as answer:
        seen = _with_checksum(remote_of(answer), remote)
        if remote.contradicts(seen) or (start and not remote.is_same(seen)):
            raise Changed("the file on the server changed", where=answer.label)
        if start and answer.status == 200:
            _anew(partial, progress, say, "the server ignores the range asked for")
        elif start and range_start(answer) != start:
            raise InfraError("the server answers with another range than asked for", where=answer.label, expected=f"bytes from {start} on")
        _read(answer, remote, partial, timeout, progress)
    if partial.size < remote.size_bytes:
        raise Unreachable("the server ended its answer early", where=answer.label, got=size_text(partial.size), expected=size_text(remote.size_bytes))


def _anew(partial, progress, say, why):
    say(f"{why}: starting anew")
    progress(-partial.size)
    partial.restart()


def _with_checksum(seen, remote):
    """Only some of the hub's answers tell the checksum; one that tells none does not differ by it."""
    return seen if seen.sha256 or not remote.sha256 else seen._replace(sha256=remote.sha256)


def _read(answer, remote, partial, timeout, progress):
    since, received = time.monotonic(), 0
    while partial.size < remote.size_bytes:
        chunk = answer.read_some(min(_CHUNK_BYTES, remote.size_bytes - partial.size))
        if not chunk:
            return
        partial.write(chunk)
        progress(len(chunk))
        received += len(chunk)
        if time.monotonic() - since >= timeout:
            if received < _SLOWEST_BYTES_PER_SECOND * timeout:
                raise Unreachable("the server sends next to nothing", where=answer.label, got=f"{received} bytes in {timeout} seconds")
            since, received = time.monotonic(), 0
