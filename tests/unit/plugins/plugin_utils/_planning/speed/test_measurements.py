# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The model of speed against what people measured."""

from __future__ import annotations

import statistics

import pytest

from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.speed.measurements import HELD_BACK, MEASUREMENTS
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.speed.predicted import predicted

WITHIN = 0.85


@pytest.mark.parametrize("what", ["decode", "prefill"])
def test_the_range_holds_most_of_what_was_measured(what):
    missed, ratios = [], []
    rows = [row for row in MEASUREMENTS if row.what == what]
    for row in rows:
        told = predicted(row)
        ratios.append(row.measured / told["tokens_per_second_expected"])
        if not told["tokens_per_second_low"] <= row.measured <= told["tokens_per_second_high"]:
            missed.append((row.model, row.gpus, row.measured, told["tokens_per_second_low"], told["tokens_per_second_high"]))
    share = 1 - len(missed) / len(rows)
    print(f"{what}: {share:.0%} of {len(rows)} within the range, median of measured/expected {statistics.median(ratios):.2f}; missed {missed}")
    assert share >= WITHIN, missed
    assert 0.85 < statistics.median(ratios) < 1.15


def test_the_range_holds_what_nothing_was_fitted_to():
    within = [told["tokens_per_second_low"] <= row.measured <= told["tokens_per_second_high"] for row in HELD_BACK for told in (predicted(row),)]
    print(f"held back: {sum(within)} of {len(within)} within the range")
    assert sum(within) >= WITHIN * len(within)


def test_what_was_measured_is_not_more_than_the_hardware_allows():
    for row in (*MEASUREMENTS, *HELD_BACK):
        at_most = predicted(row)["tokens_per_second_at_most"]
        if at_most is None:
            continue
        # a header of another quantization may be some percent larger than the file measured
        assert row.measured <= at_most * 1.08, row
