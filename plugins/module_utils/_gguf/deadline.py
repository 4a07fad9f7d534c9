# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP connections that end at a point in time.

The timeout of a socket starts anew with every byte: a server that sends a header now and then, or one
'100 Continue' after the other, would never meet it. Here every read is granted only what is left.
"""

from __future__ import annotations

import functools
import http.client
import io
import time
import urllib.request


class HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req):
        return self.do_open(_HttpConnection, req)


class HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req):
        return self.do_open(_HttpsConnection, req)


class _Limited:
    """Mixed into a connection: its C(timeout) is for everything that is read from it, those of a proxy included."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.response_class = functools.partial(_Response, time.monotonic() + self.timeout)


class _HttpConnection(_Limited, http.client.HTTPConnection):
    pass


class _HttpsConnection(_Limited, http.client.HTTPSConnection):
    pass


class _Response(http.client.HTTPResponse):
    def __init__(self, deadline, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock, deadline))


class _Reader(io.RawIOBase):
    """What C(raw), the unbuffered file of C(sock), delivers until the deadline."""

    def __init__(self, raw, sock, deadline):
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self):
        self._raw.close()
        super().close()
