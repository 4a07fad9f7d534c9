# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Rows of tests/truth: read, asked again, compared and written."""

from __future__ import annotations

import concurrent.futures
import fnmatch
import json
import os
import pathlib
from collections.abc import Iterable, Iterator

import architectures
import grid
import question

TRUTH = pathlib.Path(__file__).resolve().parents[1] / "truth"
HEADERS = TRUTH / "headers"
FULL, ARCHS, MORE, FIT, CHUNKS = "full.jsonl", "archs.jsonl", "more.jsonl", "fit.jsonl", "chunks.jsonl"
FILES = (FULL, ARCHS, MORE, FIT, CHUNKS)
# A fit is written with this many parts of a tensor split.
SPLIT = 8


def read(pattern: str, sample: int | None) -> list[dict]:
    """The rows of models that match; C(sample) of them, evenly spread over all files."""
    rows = []
    for name in FILES:
        lines = (TRUTH / name).read_text(encoding="utf-8").splitlines()
        rows += [row for row in map(json.loads, lines) if fnmatch.fnmatch(row["model"], pattern)]
    if sample is None or sample >= len(rows):
        return rows
    return [rows[index * len(rows) // sample] for index in range(sample)]


def ask_all(rows: Iterable[dict]) -> Iterator[dict]:
    """Each row with what the oracle says now, in the order of the rows: C(expected), or C(error) where llama.cpp refuses."""
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        yield from pool.map(_ask, rows)


def _ask(row: dict) -> dict:
    asked = {name: row[name] for name in ("model", "settings", "devices")}
    settings = {**row["settings"], "fit": "fit" in row}
    try:
        answer = question.ask(HEADERS / row["model"], settings, row["devices"])
    except question.Refused as refused:
        return {**asked, "error": str(refused)}
    fit = {"fit": _fit_text(answer["fit"])} if "fit" in answer else {}
    return {**asked, **fit, "expected": question.in_mib(answer)}


def _fit_text(fit: dict) -> str:
    split = (fit["tensor_split"] + [0] * SPLIT)[:SPLIT]
    overrides = [f"ot[{each}]" for each in fit["override_tensor"]]
    parts = [f"status {fit['status']} -c {fit['ctx_size']} -ngl {fit['gpu_layers']} -ts {''.join(f'{part},' for part in split)}", *overrides]
    return " ".join([*parts, f"n_ot={len(overrides)}"])


def differences(row: dict, again: dict) -> list[str]:
    """Each part in which two rows differ; a refusal agrees with a refusal, whatever the words."""
    if "error" in row or "error" in again:
        both = "error" in row and "error" in again
        return [] if both else [f"expected {_outcome(row)}, got {_outcome(again)}"]
    before, now = _flat(row), _flat(again)
    return [f"{name}: expected {before.get(name)}, got {now.get(name)}" for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def _outcome(row: dict) -> str:
    return f"a refusal ({row['error'].strip()})" if "error" in row else "an answer"


def _flat(row: dict) -> dict[str, object]:
    expected = row["expected"]
    parts = {f"device {index}": part for index, part in enumerate(expected["devices"])} | {"host": expected["host"]}
    figures = {f"{where} {name} (MiB)": mib for where, part in parts.items() for name, mib in part.items()}
    return {**figures, "fit": row.get("fit")}


def record(folder: pathlib.Path, pattern: str) -> int:
    """Ask the grid about every header that matches and write files like those of tests/truth; how many rows."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in HEADERS.glob("*.gguf") if fnmatch.fnmatch(path.name, pattern))
    made = [name for name in names if name.removesuffix(".gguf") in architectures.MODELS]
    small = [name for name in names if name.endswith(("-dense.gguf", "-moe.gguf")) and name not in made]
    real = [name for name in names if name not in small and name not in made]
    files = {
        FULL: [row for name in real for row in _rows_of(name)],
        ARCHS: [row for name in small for row in _rows_of(name)],
        MORE: [row for name in made for row in _rows_of(name)],
        FIT: [{"model": name, "settings": settings, "devices": devices, "fit": None} for name in real for settings, devices in grid.fits()],
        CHUNKS: [{"model": name, "settings": settings, "devices": devices} for name in real for settings, devices in grid.chunks()],
    }
    for file, rows in files.items():
        (folder / file).write_text("".join(json.dumps(row) + "\n" for row in ask_all(rows)), encoding="utf-8")
    return sum(map(len, files.values()))


def _rows_of(name: str) -> list[dict]:
    try:
        model = question.ask(HEADERS / name, grid.BASE, grid.devices(grid.ONE))["model"]
    except question.Refused:
        model = question.ask(HEADERS / name, {**grid.BASE, "flash_attn": "off"}, grid.devices(grid.ONE))["model"]
    return [{"model": name, "settings": settings, "devices": devices} for settings, devices in grid.questions(model)]
