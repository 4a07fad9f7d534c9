# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A directory for models, and a Bringer in this process that works in it."""

from __future__ import annotations

import hashlib
import os
import random

from ansible_collections.prositronic.infra.plugins.module_utils._download.bring import Bringer
from ansible_collections.prositronic.infra.plugins.module_utils._download.progress import Progress
from ansible_collections.prositronic.infra.plugins.module_utils._download.request import Request
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import send


def some_bytes(count=300_000, seed=1):
    return random.Random(seed).randbytes(count)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def cut_after(web, data, count, times=1, **headers):
    """An answer that breaks off after C(count) bytes, C(times) times; then it is whole."""
    left = [times]

    def answer(handler):
        if handler.headers.get("Range") == "bytes=0-0" or not left[0]:
            send(handler, data, **headers)
            return
        left[0] -= 1
        handler.send_response(200)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data[:count])

    return answer


class Place:
    def __init__(self, directory, web):
        self.directory = directory
        self.web = web
        self.path = directory / "m.gguf"
        self.partial = directory / "m.gguf.partial"
        self.progress = None
        self.pauses = []

    @property
    def names(self):
        return sorted(os.listdir(self.directory))

    def request(self, **options):
        return Request(**{"directory": str(self.directory), "source": f"{self.web.url}/m.gguf", "endpoint": self.web.url, "timeout": 10, **options})

    def bring(self, **options):
        """The rows of a run in this process."""
        request = self.request(**options)
        os.makedirs(os.path.dirname(request.own("state.json")), exist_ok=True)
        manifest = request.manifest()
        self.progress = Progress(request.own("state.json"), "job", "request")
        return Bringer(request, request.client(True), manifest, self.progress).bring(request.wanted(manifest))

    @property
    def notes(self):
        return self.progress.state["notes"]

    def ranges(self, path="/m.gguf"):
        """The Range of each request for the file but the first questions for its size."""
        asked = [headers.get("Range") for url, headers in self.web.requests if url.partition("?")[0] == path]
        return [value for value in asked if value != "bytes=0-0"]
