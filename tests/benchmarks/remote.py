# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many bytes and requests a header on a web server costs, next to the header's own size."""

from __future__ import annotations

import re

import models
from timing import heading, measured

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

RUNS = 5


def main():
    heading("Header on a web server of this machine: bytes of the answers' bodies against the header's own", RUNS)
    for label, (header, size_bytes) in (
        ("tiny (4 blocks, 260 tokens)", models.llama(4, 260)),
        ("8B (32 blocks, 32k tokens)", models.llama(32, 32_000)),
        ("DeepSeek-V3.1, no vocabulary", models.with_vocabulary("DeepSeek-V3.1-Q4_K_M", 1)),
        ("DeepSeek-V3.1, 129k tokens", models.with_vocabulary("DeepSeek-V3.1-Q4_K_M", 129_280)),
        ("150k tokens, 1,998 tensors", models.llama(222, 150_000)),
        ("262k tokens, 450 tensors", models.llama(50, 262_144)),
    ):
        with serving() as web:
            sent = []
            web.answers["/model.gguf"] = ranges(header, size_bytes, sent)
            times = measured(lambda web=web: read_model(f"{web.url}/model.gguf"), RUNS)
            requests, got = len(sent) // (RUNS + 1), sum(sent) // (RUNS + 1)
        difference = (got - len(header)) / 1024
        print(times.row(label, f"{len(header) / 1024:8.0f} KiB header, {got / 1024:8.0f} KiB sent ({difference:+.0f} KiB), {requests} requests"))
    print("aim: within +256 KiB. Less than the header is sent where arrays of numbers are stepped over.")


def ranges(header, size_bytes, sent):
    """An answer for C(serving): ranges of a file of this size, zeros behind its header. The length of each goes into C(sent)."""

    def answer(handler):
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers["Range"]).groups())
        last = min(last, size_bytes - 1)
        body = header[first : last + 1].ljust(last + 1 - first, b"\0")
        sent.append(len(body))
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {first}-{last}/{size_bytes}")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer
