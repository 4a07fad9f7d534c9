# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Ask llama.cpp itself what it would allocate, without a GPU and without weights.

usage: oracle.py build
       oracle.py ask --model FILE --devices 24000,24000:noevents --set ctx_size=32768 --set gpu_layers=all
       oracle.py check [--sample N] [--models 'Qwen3-*']
       oracle.py record FOLDER [--models 'Qwen3-*']
       oracle.py plans
       oracle.py fit [--sample N] [--models 'Qwen3-*'] [--all]
       oracle.py chance [--count N] [--seed N] [--models 'Qwen3-*'] [--show N]
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import sys
import time

import llamacpp
import machine
import question
import truth

SHOWN = 10


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        llamacpp.build()
        return options.run(options)
    except (llamacpp.Failed, machine.Missing, question.Wrong) as failure:
        print(failure, file=sys.stderr)
    except question.Refused as refused:
        print(f"llama.cpp refuses: {refused}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="download and build what is needed, once")
    build.set_defaults(run=lambda options: 0)

    ask = commands.add_parser("ask", help="one model, one set of settings")
    ask.add_argument("--model", required=True, type=_file, help="a GGUF file; its header is enough")
    ask.add_argument("--devices", default=[], type=_devices, help="free MiB of each device: 24000,24000:noevents, 24000:rpc of a server; none for a CPU alone")
    ask.add_argument("--set", default=[], action="append", type=_setting, metavar="NAME=VALUE", help="an option of llama-server, as in tests/truth")
    ask.add_argument("--json", action="store_true", help="print bytes as JSON")
    ask.set_defaults(run=_ask)

    check = commands.add_parser("check", help="ask the rows of tests/truth again")
    check.add_argument("--sample", type=int, metavar="N", help="only so many rows, evenly spread")
    check.add_argument("--models", default="*", metavar="GLOB", help="only models whose file name matches")
    check.set_defaults(run=_check)

    record = commands.add_parser("record", help="ask a grid of settings about every header of tests/truth and write rows")
    record.add_argument("folder", type=pathlib.Path)
    record.add_argument("--models", default="*", metavar="GLOB", help="only models whose file name matches")
    record.set_defaults(run=_record)

    plans = commands.add_parser("plans", help="give a grid of plans to llama.cpp: each must stay within its budget")
    plans.add_argument("--models", default="*", metavar="GLOB", help="only models whose file name matches")
    plans.set_defaults(run=_plans)

    fit = commands.add_parser("fit", help="compare our placement with what --fit chose, row by row")
    fit.add_argument("--sample", type=int, metavar="N", help="only so many rows, evenly spread")
    fit.add_argument("--models", default="*", metavar="GLOB", help="only models whose file name matches")
    fit.add_argument("--all", action="store_true", help="print every row, not only those that are worse or over the budget")
    fit.set_defaults(run=_fit)

    chance = commands.add_parser("chance", help="settings and devices by chance: the memory rules against llama.cpp")
    chance.add_argument("--count", type=int, default=1000, metavar="N", help="so many questions")
    chance.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed asks the same questions")
    chance.add_argument("--models", default="*", metavar="GLOB", help="only models whose file name matches")
    chance.add_argument("--show", type=int, default=SHOWN, metavar="N", help="print so many of the answers that are unlike")
    chance.set_defaults(run=_chance)
    return parser


def _file(text: str) -> pathlib.Path:
    path = pathlib.Path(text).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text}")
    return path


def _devices(text: str) -> list[dict]:
    devices = []
    for row in filter(None, text.split(",")):
        free, _colon, events = row.partition(":")
        if not free.isdecimal() or events not in ("", "events", "noevents", "rpc"):
            raise argparse.ArgumentTypeError(f"got '{row}', expected MIB, MIB:events, MIB:noevents or MIB:rpc")
        devices.append({"free_mib": int(free), "events": events != "noevents", "remote": events == "rpc"})
    return devices


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"got '{text}', expected NAME=VALUE")
    return name, value


def _ask(options: argparse.Namespace) -> int:
    settings: dict[str, list[str]] = {}
    for name, value in options.set:
        settings.setdefault(name, []).append(value)
    answer = question.ask(options.model, settings, options.devices)
    if options.json:
        print(json.dumps(answer))
        return 0
    print(f"{'MiB':<8}{'weights':>10}{'kv':>10}{'compute':>10}{'total':>10}   ctx_size {answer['ctx_size']}")
    for part in [*answer["devices"], answer["host"]]:
        figures = [part[f"{name}_bytes"] for name in question.PARTS]
        print(f"{part['name']:<8}" + "".join(f"{figure / question.MIB:>10.1f}" for figure in [*figures, sum(figures)]))
    return 0


def _check(options: argparse.Namespace) -> int:
    rows = truth.read(options.models, options.sample)
    if not rows:
        print(f"No row of tests/truth is about a model that matches {options.models}.", file=sys.stderr)
        return 1
    start = time.monotonic()
    wrong = 0
    for row, again in zip(rows, truth.ask_all(rows)):
        found = truth.differences(row, again)
        wrong += bool(found)
        if found and wrong <= SHOWN:
            print(json.dumps({"model": row["model"], "settings": row["settings"], "devices": row["devices"]}), *found, sep="\n    ", flush=True)
    print(f"{len(rows) - wrong} of {len(rows)} rows agree in every part, {time.monotonic() - start:.0f} seconds")
    return 1 if wrong else 0


def _record(options: argparse.Namespace) -> int:
    start = time.monotonic()
    count = truth.record(options.folder, options.models)
    print(f"{count} rows in {options.folder}, {time.monotonic() - start:.0f} seconds")
    return 0 if count else 1


def _plans(options: argparse.Namespace) -> int:
    # The rest of the oracle runs without the collection.
    import plans

    start = time.monotonic()
    checked = list(plans.check(options.models))
    if not checked:
        print(f"No full-size model matches {options.models}.", file=sys.stderr)
        return 1
    wrong = [found for found in checked if found.wrong]
    for found in wrong[:SHOWN]:
        gpus, ram_bytes = found.node
        why = f"refused: {found.refused}" if found.refused else f"{found.over_budget:.0f} MiB over the budget"
        print(f"{found.model} on {gpus} and {ram_bytes >> 30} GiB with {found.wishes}: {why}")
    above = sorted(figure for found in checked for figure in found.above)
    figures = ", ".join(f"{name} {above[int(part * (len(above) - 1))]:.0f}" for name, part in (("least", 0), ("median", 0.5), ("95 %", 0.95), ("most", 1)))
    print(f"MiB that a plan counts above llama.cpp, per device: {figures}")
    print(f"{len(checked) - len(wrong)} of {len(checked)} plans are within their budget, {time.monotonic() - start:.0f} seconds")
    return 1 if wrong else 0


def _chance(options: argparse.Namespace) -> int:
    import by_chance

    start = time.monotonic()
    verdicts: collections.Counter = collections.Counter()
    for asked in by_chance.ask(options.count, options.seed, options.models):
        verdicts[asked.verdict] += 1
        if asked.verdict in by_chance.UNLIKE and sum(verdicts[verdict] for verdict in by_chance.UNLIKE) <= options.show:
            print(by_chance.as_text(asked), flush=True)
    print(
        f"{options.count} questions by chance, seed {options.seed}: {', '.join(f'{number} {verdict}' for verdict, number in verdicts.most_common())}; ", end=""
    )
    print(f"{time.monotonic() - start:.0f} seconds")
    return 1 if sum(verdicts[verdict] for verdict in by_chance.UNLIKE) > by_chance.MOST_UNLIKE * options.count else 0


def _fit(options: argparse.Namespace) -> int:
    import fits

    start = time.monotonic()
    rows = fits.rows(options.models, options.sample)
    compared = list(fits.compare(rows))
    verdicts = ("better", "equal", "worse", "over budget", "refused")
    for found in compared:
        if options.all or found.verdict in ("worse", "over budget"):
            free = ",".join(str(device["free_mib"]) for device in found.row["devices"])
            figures = f"{found.ours_mib:.0f} MiB and {found.ours_rate:.1f}/s, --fit {found.theirs_mib:.0f} MiB and {found.theirs_rate:.1f}/s"
            print(f"{found.verdict}: {found.row['model']} on {free}, ctx_size {found.row['settings']['ctx_size']}: {figures} {found.why}".rstrip())
    print(f"{'':40}{'rows':>8}" + "".join(f"{verdict:>14}" for verdict in verdicts))
    for name in [*sorted({found.row["model"] for found in compared}), "all"]:
        of_model = [found for found in compared if name in ("all", found.row["model"])]
        print(f"{name:40}{len(of_model):>8}" + "".join(f"{sum(found.verdict == verdict for found in of_model):>14}" for verdict in verdicts))
    for why in sorted({found.why for found in compared if found.verdict == "refused"}):
        print(f"refused: {why}")
    kept = list(fits.kept(rows))
    print(f"Where --fit came down to {fits.LEAST_OF_FIT} tokens, a plan keeps {fits.KEPT} within the budget in {sum(kept)} of {len(kept)} rows.")
    print(f"{time.monotonic() - start:.0f} seconds, {sum(found.seconds for found in compared):.1f} of them ours")
    return 1 if not compared or any(found.verdict == "over budget" for found in compared) or not all(kept) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
