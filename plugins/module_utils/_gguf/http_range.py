# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file on a web server, read by HTTP range requests: never more than the header and a window behind it."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.cursor import FIRST_READ_BYTES
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.urls import safe_url

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})", re.IGNORECASE)


class HttpRange:
    """A source for cursor.py."""

    path = None

    def __init__(self, client, url, part="the model file", sha256=None):
        self.label = self.url = safe_url(url)
        self.sha256 = sha256
        self._client = client
        self._address = url
        self._part = part
        self._version = None
        # The first answer tells the size of the file; its bytes are the first that a cursor asks for.
        self._start, self.size = self._get(0, FIRST_READ_BYTES)

    def read_at(self, offset, length):
        if offset + length <= len(self._start):
            return self._start[offset : offset + length]
        return self._get(offset, length)[0]

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._start = b""

    def _get(self, offset, length):
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        with self._client.open(self._address, headers, self._part) as answer:
            size, expected = self._accept(answer, offset, length)
            body = answer.read(expected)
        if len(body) != expected:
            raise InfraError("the server ended its answer early", where=self.label, got=f"{len(body)} bytes", expected=expected, fix="Try again.")
        return body, size

    def _accept(self, answer, offset, length):
        if answer.status != 206:
            raise InfraError(
                "the server does not support range requests",
                where=self.label,
                got=f"HTTP status {answer.status}",
                expected="206 (partial content)",
                fix="Use a server that does, or download the file and give its path.",
            )
        encoding = answer.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            raise InfraError(
                "the server sends the file compressed",
                where=self.label,
                got=f"Content-Encoding {shown(encoding)}",
                expected="none",
                fix="Switch compression off for .gguf files, or download the file and give its path.",
            )
        said = answer.headers.get("Content-Range", "")
        match = _CONTENT_RANGE.fullmatch(said.strip())
        first, last, size = (int(number) for number in match.groups()) if match else (0, 0, 0)
        if size <= offset or first != offset or last != min(offset + length, size) - 1:
            raise InfraError(
                "the server answers with another range than asked for",
                where=self.label,
                got=f"Content-Range {shown(said)}",
                expected=f"bytes {offset}-{offset + length - 1} of the file, or up to its end",
                fix="Use another server, or download the file and give its path.",
            )
        version = (size, answer.headers.get("ETag"))
        if self._version not in (None, version):
            raise InfraError("the file changed while it was read", where=self.label, fix="Try again.")
        self._version = version
        return size, last - first + 1
