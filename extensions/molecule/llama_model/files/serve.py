# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Serves /models by ranges. While /run/hold exists an answer stops half-way."""

from __future__ import annotations

import http.server
import os
import pathlib
import re
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        data = (pathlib.Path("/models") / os.path.basename(self.path)).read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(wanted[1]), int(wanted[2] or len(data) - 1)) if wanted else (0, len(data) - 1)
        body = data[first : last + 1]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        while len(body) > 1 and os.path.exists("/run/hold"):
            time.sleep(0.1)
        self.wfile.write(body[len(body) // 2 :])


http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Handler).serve_forever()
