# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Feeds the reader damaged headers and the memory rules absurd models, and says how that went.

Each input must give an answer or an InfraError, within a second of processor time and 64 MiB of memory. Anything else is
printed with what makes it again, and the exit status is 1. What was found so far is in corpus/, replayed by the unit tests.

usage: fuzz.py [--count N] [--seconds T] [--seed S] [--only NUMBER] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import random
import signal
import sys
import tempfile
import time
import traceback

import bounds

ROOT = pathlib.Path(__file__).resolve().parents[2]

HANG_SECONDS = 10
SHOWN_FINDINGS = 10


class Hang(BaseException):
    """Not an Exception: nothing that is fuzzed may catch it."""


def main(arguments):
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as tree:
        link = pathlib.Path(tree, "ansible_collections", "prositronic", "infra")
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        sys.path.insert(0, tree)
        return _Run(options).all()


def _options(arguments):
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="inputs to try (20000)")
    parser.add_argument("--seconds", type=float, default=float("inf"), metavar="T", help="stop after these, with the inputs tried until then")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="another seed makes other inputs (1)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one input of a run, with its traceback")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="write what is found there")
    return parser.parse_args(arguments)


class _Run:
    def __init__(self, options):
        # Not at the top: main() makes the collection importable.
        from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
        from ansible_collections.prositronic.infra.tests.fuzz import headers, models, subject

        self._headers, self._models, self._subject = headers, models, subject
        self._error = InfraError
        self._seed, self._count, self._seconds, self._only, self._keep = options.seed, options.count, options.seconds, options.only, options.keep
        self._bases = headers.bases(with_truth=True)
        self._plain = [subject.read(headers.make.header(base.pairs, base.tensors)) for base in self._bases]
        self._outcomes = {"header": [0, 0, 0], "model": [0, 0, 0]}  # good answers, InfraErrors, findings
        self._answers = 0
        self._findings = []
        self._slowest, self._largest = (0.0, None), (0, None)

    def all(self):
        signal.signal(signal.SIGPROF, _hang)
        bounds.limit_memory()
        started = time.monotonic()
        for number in range(self._count) if self._only is None else [self._only]:
            if time.monotonic() - started >= self._seconds:
                break
            self._one(number)
        self._report(time.monotonic() - started)
        return 1 if self._findings else 0

    def _one(self, number):
        """The input of this number: a damaged header (and if it is a model still, questions about it), or an absurd model."""
        chance = random.Random(f"{self._seed} {number}")
        kind = "header" if chance.random() < 0.6 else "model"
        place = chance.randrange(len(self._bases))
        if kind == "header":
            data = self._headers.damaged(chance, self._bases[place])
            self._try(number, kind, data, lambda: self._read_and_ask(chance, data))
        else:
            model, question = self._models.absurd(chance, self._plain[place]), self._models.question(chance)
            self._try(number, kind, {"model": model, **question}, lambda: self._subject.ask(model, question))

    def _read_and_ask(self, chance, data):
        model = self._subject.read(data)
        if isinstance(model, dict) and not isinstance(self._subject.ask(model, self._models.question(chance)), self._error):
            self._answers += 1
        return model

    def _try(self, number, kind, content, work):
        before = bounds.peak_bytes(reset=True)
        signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
        started = time.process_time()
        finding = None
        try:
            outcome = 1 if isinstance(work(), self._error) else 0
        except (Exception, Hang) as error:
            outcome, finding = 2, f"{type(error).__name__}: {str(error)[:200]}"
            if self._only is not None:
                traceback.print_exc()
        signal.setitimer(signal.ITIMER_PROF, 0)
        seconds, grown = time.process_time() - started, bounds.peak_bytes() - before
        self._slowest = max(self._slowest, (seconds, number), key=lambda pair: pair[0])
        self._largest = max(self._largest, (grown, number), key=lambda pair: pair[0])
        if finding is None and seconds > bounds.SECONDS:
            outcome, finding = 2, f"takes {seconds:.1f} s"
        if finding is None and grown > bounds.MEMORY_BYTES:
            outcome, finding = 2, f"takes {grown / bounds.MIB:.0f} MiB"
        self._outcomes[kind][outcome] += 1
        if finding is not None:
            self._found(number, kind, content, finding)

    def _found(self, number, kind, content, finding):
        self._findings.append(finding)
        if len(self._findings) <= SHOWN_FINDINGS:
            print(f"{kind} {number}: {finding}\n  again: fuzz.py --seed {self._seed} --only {number}", flush=True)
        if self._keep is not None:
            self._keep.mkdir(parents=True, exist_ok=True)
            stem = self._keep / f"{self._seed}-{number}"
            if kind == "header":
                stem.with_suffix(".header").write_bytes(content)
            else:
                stem.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")

    def _report(self, seconds):
        total = sum(map(sum, self._outcomes.values()))
        print(f"{total} inputs in {seconds:.0f} s ({total / max(seconds, 0.001):.0f} each second), seed {self._seed}, Python {sys.version.split()[0]}")
        for kind, good in (("header", "a model"), ("model", "an answer")):
            answers, errors, findings = self._outcomes[kind]
            print(f"  {answers + errors + findings} {kind}s: {answers} gave {good}, {errors} an InfraError, {findings} something else")
        print(f"  of the models read from headers {self._answers} gave an answer")
        print(
            f"  slowest {self._slowest[0] * 1000:.0f} ms (input {self._slowest[1]}), largest {self._largest[0] / bounds.MIB:.1f} MiB (input {self._largest[1]})"
        )


def _hang(_signal, _frame):
    raise Hang(f"still running after {HANG_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
