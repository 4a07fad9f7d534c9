# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of docs/speed.md: the table of measurements, the shares, the worked example."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.speed import phases, rates, throughput
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.speed.measurements import HELD_BACK, MEASUREMENTS
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.speed.predicted import node_with, predicted, throughput_of

TEXT = (pathlib.Path(__file__).parents[3] / "docs" / "speed.md").read_text(encoding="utf-8")
FLOWING = " ".join(TEXT.split())


def table(measurements):
    """The rows of the table, as the document has them."""
    return [_row(row, predicted(row)) for row in measurements]


def _row(row, told):
    gpus = f"{len(row.gpus)} x {row.gpus[0]}" if len(row.gpus) > 1 else row.gpus[0] if row.gpus else "none"
    more = [f"{name} {value}" for name, value in row.settings.items()] + ([f"RAM {row.ram / 1e9:g} GB/s"] if row.ram else [])
    low, high = (told[f"tokens_per_second_{which}"] for which in ("low", "high"))
    within = "yes" if low <= row.measured <= high else "no"
    cells = (row.model, gpus, ", ".join(more), str(row.context), f"[{row.measured:g}]({row.link})", f"{told['tokens_per_second_expected']:g}", within)
    return "| " + " | ".join((row.what, *cells)) + " |"


def held(what, measurements):
    """'40 of 43', within the range."""
    rows = [row for row in table(measurements) if row.startswith(f"| {what}")]
    return f"{sum(row.endswith('| yes |') for row in rows)} of {len(rows)}"


def test_the_table_is_that_of_the_measurements():
    expected = [*table(MEASUREMENTS), *table(HELD_BACK)]
    shown = [line for line in TEXT.splitlines() if line.startswith(("| decode", "| prefill"))]
    assert shown == expected, "\n".join(expected)


def statements():
    for vendor, name in (("nvidia", "NVIDIA"), ("amd", "AMD"), ("apple", "Apple"), ("intel", "Intel")):
        share = rates.SHARES[vendor]
        yield f"| {name} | {share.memory:.0%} | {share.matrix:.0%} | {share.block_seconds * 1e6:.0f} µs |"
    yield f"| CPU | {rates.RAM_SHARE:.0%} | {rates.CPU_SHARE:.0%} | {rates.CPU_BLOCK_SECONDS * 1e6:.0f} µs |"
    yield f"{rates.SHARES['nvidia'].unit_operations / 1e12:g} tera-operations"
    yield f"{rates.PINNED_SHARE:.0%} of the bus from pinned memory, {rates.MAPPED_SHARE:.0%} from a mapped file"
    yield f"{phases.EXPERT_SHARE:.0%} of the matrix rate"
    yield f"{rates.EXPERT_WAITING:g} times the waiting"
    yield f"{rates.CHANGE_SECONDS * 1e6:.0f} µs"
    yield f"{rates.CPU_OPERATIONS_PER_RAM_BYTE} operations for each byte"
    for factors in (throughput.DECODE_RANGE, throughput.PREFILL_RANGE):
        yield f"{factors[0]:g} to {factors[1]:g} times"
    yield f"holds {held('decode', MEASUREMENTS)} for decode and {held('prefill', MEASUREMENTS)} for prefill"
    yield f"holds {held('decode', HELD_BACK)} and {held('prefill', HELD_BACK)}"
    for ram in (100, 200, 460):
        told = throughput_of("DeepSeek-V3.1-Q4_K_M", node_with(("nvidia-l4",), ram * 10**9), ctx_size=32768, cpu_moe=True, ubatch_size=2048)
        without = told["without_gpus"]
        decode, prefill = (told[what]["tokens_per_second_expected"] for what in ("decode", "prefill"))
        yield (
            f"| {ram} GB/s | {decode:g} | {told['decode']['bound_by']} | {without['decode_tokens_per_second_expected']:g} "
            f"| {prefill:g} | {without['prefill_tokens_per_second_expected']:g} |"
        )


@pytest.mark.parametrize("statement", list(statements()))
def test_the_document_says(statement):
    assert statement in FLOWING
