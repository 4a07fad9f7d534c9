# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Compare the collection's memory rules with every figure of llama.cpp in this folder.

usage: compare.py [GLOB]        only models whose file name matches

Prints how far the figures are apart, for each part and each kind of attention, and the worst ten. Ends with 1 where a bound is broken:
weights and cache within 1 MiB; compute buffers not more than 1 MiB below, and in 95 of 100 figures at most 5 % or 16 MiB above,
whichever is more; no row without an answer.
"""

from __future__ import annotations

import fnmatch
import pathlib
import sys
import time
from collections import Counter
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))

import checkout

sys.path.insert(0, str(checkout.linked()))

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.cache import families
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.devices import devices_from_plain
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.memory import allocate
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth

MIB = 1024**2
PARTS = ("weights", "kv", "compute")
WORST = 10
COLUMNS = ("figures", "equal", "+-1 MiB", "near", "far above", "below")


@dataclass(frozen=True)
class Figure:
    """One figure of llama.cpp, in whole MiB, and how much more the rules say."""

    model: str
    group: str
    part: str
    where: str
    reported: int
    more: int
    settings: dict

    @property
    def verdict(self):
        if abs(self.more) <= 1:
            return "+-1 MiB" if self.more else "equal"
        if self.more < 0:
            return "below"
        return "near" if self.more <= max(16, self.reported * 0.05) else "far above"

    @property
    def broken(self):
        return abs(self.more) > 1 and (self.part != "compute" or self.more < 0)


def main(arguments):
    pattern = arguments[0] if arguments else "*"
    start = time.monotonic()
    figures, unanswered = [], Counter()
    for name in sorted(fnmatch.filter(truth.rows(), pattern)):
        for row in truth.rows()[name]:
            try:
                figures.extend(_figures(name, row))
            except InfraError as error:
                unanswered[f"{name}: {error}"] += 1
    if not figures:
        print(f"No row is about a model that matches {pattern}.", file=sys.stderr)
        return 1
    _print_table(figures)
    _print_worst(figures)
    for text, count in unanswered.most_common():
        print(f"{count} rows without an answer: {text}")
    far = sum(figure.part == "compute" and figure.verdict == "far above" for figure in figures)
    compute = sum(figure.part == "compute" for figure in figures)
    broken = sum(figure.broken for figure in figures)
    rows = sum(map(len, truth.rows().values())) if pattern == "*" else 0
    print(f"\n{len(figures)} figures of {len({figure.model for figure in figures})} models{f', {rows} rows' * bool(rows)}: {broken} out of bounds, ", end="")
    print(f"{far} of {compute} compute buffers far above ({far / compute:.2%}), {sum(unanswered.values())} rows without an answer; ", end="")
    print(f"{time.monotonic() - start:.0f} seconds")
    return 1 if broken or unanswered or far > compute * 0.05 else 0


def _figures(name, row):
    model = truth.model(name)
    devices = devices_from_plain(row["devices"])
    allocation = allocate(model, resolve(row["settings"], model), devices)
    group = " + ".join(part.__name__.rpartition(".")[2].replace("_", " ") for part in families.kind(model))
    reported = (*row["expected"]["devices"], row["expected"]["host"])
    names = [*(f"device {number}" for number in range(len(devices))), "host"]
    for where, buffers, expected in zip(names, (*allocation.devices, allocation.host), reported, strict=True):
        got = {"weights": buffers.weights_bytes, "kv": buffers.kv_bytes, "compute": buffers.compute_bytes}
        for part in PARTS:
            yield Figure(name, group, part, where, expected[part], got[part] // MIB - expected[part], row["settings"])


def _print_table(figures):
    print(f"{'part':<9}{'attention':<26}" + "".join(f"{column:>11}" for column in COLUMNS) + f"{'MiB: least':>12}{'most':>7}")
    for part in PARTS:
        of_part = [figure for figure in figures if figure.part == part]
        for group in [*sorted({figure.group for figure in of_part}), "all"]:
            chosen = [figure for figure in of_part if group in (figure.group, "all")]
            verdicts = Counter(figure.verdict for figure in chosen)
            counts = [len(chosen), *(verdicts[column] for column in COLUMNS[1:])]
            more = [figure.more for figure in chosen]
            print(f"{part:<9}{group:<26}" + "".join(f"{count:>11}" for count in counts) + f"{min(more):>12}{max(more):>7}")


def _print_worst(figures):
    worst = sorted(figures, key=lambda figure: (not figure.broken, -abs(figure.more)))[:WORST]
    if worst[0].more:
        print("\nThe worst:")
    for figure in worst:
        if figure.more:
            given = {name: value for name, value in figure.settings.items() if value is not None}
            print(f"  {figure.model} {figure.part} on {figure.where}: {figure.more:+d} to {figure.reported} MiB, {given}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
