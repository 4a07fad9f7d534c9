# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stands before a message is taken off, and nothing else."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server.log.lines import lines


@pytest.mark.parametrize("raw, line", [
    (b"0.00.301.642 I llama_prepare: using", ("I", "llama_prepare: using")),
    (b"0.00.301.642 E x", ("E", "x")),
    (b"12.34.301.642   - indented", (None, "  - indented")),
    (b"W no times", ("W", "no times")),
    (b"load_tensors:   CPU_Mapped", (None, "load_tensors:   CPU_Mapped")),
    (b"\x1b[34m0.00.301.642\x1b[0m \x1b[31mE \x1b[0mred", ("E", "red")),
    (b'{"type":"log","time":3,"level":"warn","msg":"a\\nb\\n"}', ("W", "a b")),
    (b'{"type":"log","level":"info"}', (None, '{"type":"log","level":"info"}')),
    (b'{"not json', (None, '{"not json')),
    (b"caf\xe9\r", (None, "caf\N{REPLACEMENT CHARACTER}")),
])  # fmt: skip
def test_a_line(raw, line):
    assert [tuple(found) for found in lines(b"\n" + raw + b"\n\n")] == [line]
