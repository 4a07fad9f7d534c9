# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real web server on this machine, well-behaved where a test does not say otherwise."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading


class Web:
    """C(files): path → bytes. C(answers): path → function that gets the handler and answers instead."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        # The same server for whoever looks at the name only.
        self.other_url = f"http://localhost:{port}"
        self.files = {}
        self.answers = {}
        self.requests = []
        self.sent_bytes = 0

    def add_repository(self, name, files, revision="main", checksums=None):
        """A repository of the hub: C(files) by their path in it."""
        listing = [{"type": "directory", "path": "sub", "size": 0}]
        for path, data in files.items():
            self.files[f"/{name}/resolve/{revision}/{path}"] = data
            listing.append({"type": "file", "path": path, "size": len(data), "lfs": {"oid": (checksums or {}).get(path), "size": len(data)}})
        self.files[f"/api/models/{name}/tree/{revision}"] = json.dumps(listing).encode()


@contextlib.contextmanager
def serving():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            web.requests.append((self.path, dict(self.headers)))
            if path in web.answers:
                web.answers[path](self)
            elif path in web.files:
                send(self, web.files[path])
            else:
                self.send_response(404)
                self.end_headers()

        def do_HEAD(self):
            data = web.files.get(self.path.partition("?")[0])
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        web = server.web = Web(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield web
        finally:
            server.shutdown()


def send(handler, data, **headers):
    """The range asked for, or everything; C(headers) replace or (None) remove those of the answer."""
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    body, fields = data, {}
    if wanted and not data[int(wanted[1]) :]:
        handler.send_response(416)
        handler.end_headers()
        return
    if wanted:
        first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        body = data[first : last + 1]
        fields["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    fields["Content-Length"] = str(len(body))
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    handler.send_response(206 if wanted else 200)
    for name, value in fields.items():
        if value is not None:
            handler.send_header(name, value)
    handler.end_headers()
    handler.server.web.sent_bytes += len(body)
    with contextlib.suppress(OSError):
        handler.wfile.write(body)


def status(code, **headers):
    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return answer
