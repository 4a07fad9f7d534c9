# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server says about a file: its size, its version, its checksum."""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,19})-[0-9]{1,19}|\*)/([0-9]{1,19})", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,19}")
_SHA256 = re.compile(r'"?([0-9a-f]{64})"?')


class Remote(NamedTuple):
    """C(size_bytes) is None where an answer does not tell it, the others too."""

    size_bytes: int = None
    sha256: str = None
    etag: str = None
    modified: str = None

    def is_same(self, other):
        """Whether bytes of the one may be followed by bytes of the other."""
        if self.size_bytes != other.size_bytes:
            return False
        if self.sha256 and other.sha256:
            return self.sha256 == other.sha256
        if self.etag or other.etag:
            return self.etag == other.etag and not (self.etag or "").startswith("W/")
        return self.modified is not None and self.modified == other.modified

    def contradicts(self, other):
        """Whether they are certainly different: what only one of them tells does not count."""
        return any(None not in pair and pair[0] != pair[1] for pair in zip(self, other)) and not self.is_same(other)

    @property
    def validator(self):
        """For If-Range; None where the version can't be asked for."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


def probe(client, url):
    """The Remote of C(url), by asking for its first byte."""
    with client.open(url, {"Range": "bytes=0-0", "Accept-Encoding": "identity"}, "the model file") as answer:
        remote = remote_of(answer)
    if remote.size_bytes is None:
        raise InfraError("the server does not say how large the file is", where=answer.label, fix="Use another server, or download the file and give its path.")
    return remote


def remote_of(answer):
    """C(X-Linked-ETag) and C(X-Linked-Size) are the hub's, beside its redirect: the SHA-256 and the size of the file itself."""
    encoding = answer.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        fix = "Switch compression off for .gguf files, or download the file and give its path."
        raise InfraError("the server sends the file compressed", where=answer.label, got=f"Content-Encoding {shown(encoding)}", expected="none", fix=fix)
    linked = [fields["X-Linked-ETag"] for fields in [*answer.passed, answer.headers] if fields.get("X-Linked-ETag")]
    match = _SHA256.fullmatch(linked[0].strip()) if linked else None
    return Remote(_size(answer), match and match[1], answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


def range_start(answer):
    """The offset of the first byte of a partial answer, or None."""
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    return int(match[1]) if match and match[1] else None


def _size(answer):
    if answer.status == 206:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        return int(match[2]) if match else None
    length = answer.headers.get("Content-Length", "").strip()
    return int(length) if _LENGTH.fullmatch(length) else None
