# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No log makes the parser fail, or slow, or its answer long."""

from __future__ import annotations

import json
import random
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.report import report
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import MOST_BYTES, Text
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import NAMES, text

SECONDS = 2
"""Of the processor for 2 MiB. 0.5 was the most that was measured."""

LINES = {
    "nothing": b"\n",
    "a very long line": b"a" * 65536,
    "lines of the longest length": b"a" * 1999 + b"\n",
    "lists in lists": b'{"' + b"[" * 1500 + b"\n",
    "JSON of other types": b'{"type":"log","level":["x"],"msg":{}}\n',
    "blanks": b"x: " + b" " * 1900 + b"\n",
    "nearly an abort": b"a-" * 900 + b".cpp:\n",
    "nearly an address in a name": b"x:  RPC0[" + b"[" * 60 + b" model buffer size = 1.00 MiB\n",
    "a huge buffer": b"load_tensors: CUDA0 model buffer size = 999999999999.99 MiB\n",
    "a number that is none": b"load_tensors: CUDA0 model buffer size = 1.0.0 MiB\n",
    "nearly a cache": b"x: size = " + b" cells, " * 200 + b"\n",
    "half a colour": b"\x1b[" * 900 + b"\n",
    "nearly a device": b"  - D : " + b"(1 MiB, " * 200 + b"\n",
    "nearly a reason": b"error loading model: " * 90 + b"\n",
}


def bounded(first, last=b""):
    began = time.process_time()
    told = report(Text("a log", first, last))
    assert time.process_time() - began < SECONDS
    assert len(json.dumps(told)) < 65536
    return told


@pytest.mark.parametrize("name", sorted(LINES))
def test_many_lines_of_a_kind(name):
    block = LINES[name] * (MOST_BYTES // len(LINES[name]))
    assert bounded(block, block)["failure"] is None or name == "nearly a reason"


def test_random_bytes():
    data = random.Random(1).randbytes(MOST_BYTES)
    assert bounded(data)["layers"] is None


def test_many_devices_and_buffers_are_not_all_told():
    log = "".join(
        f"  - CUDA{number} : x (1 MiB, 1 MiB free)\nload_backend: loaded B{number} backend from x\nload_tensors: CUDA{number} model buffer size = 1.00 MiB\n"
        for number in range(9999)
    )
    told = bounded(log.encode())
    assert (len(told["devices"]), len(told["backends"]), len(told["memory"]["devices"])) == (256, 64, 256)


def test_damaged_logs():
    chance = random.Random(2)
    for name in NAMES:
        data = bytearray(text(name).encode())
        for _number in range(20):
            for _change in range(chance.randrange(1, 200)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            bounded(bytes(data), bytes(data[: chance.randrange(len(data))]))


def test_what_a_request_writes_does_not_change_the_facts():
    log = text("vulkan") + "load_tensors: offloaded 99/99 layers to GPU\nload_tensors: CUDA7 model buffer size = 1.00 MiB\n"
    told = bounded(log.encode())
    assert (told["layers"], [device["name"] for device in told["devices"]]) == ({"on_gpu": 5, "total": 5}, ["Vulkan0"])


def test_nothing_for_a_terminal_gets_out():
    told = bounded(b"0.00.000.001 E \x1b]0;title\x07 \x9b2J failed\nerror: invalid argument: \x1b[31m--\x07x\n")
    assert json.dumps(told, ensure_ascii=False).isprintable()
    assert told["failure"] == "this llama-server does not know the argument -- x"
