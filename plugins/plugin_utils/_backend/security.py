# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The least build of llama.cpp in which what a server is told has no hole that is known.

Facts up to October 2026. llama.cpp gives no advisory for many of its fixes, so this is a floor and not a promise; newer is better.
"""

from __future__ import annotations

from dataclasses import dataclass

MODEL = "--model"
ADVISORIES = "https://github.com/ggml-org/llama.cpp/security/advisories"


@dataclass(frozen=True)
class Hole:
    """C(flag): what opens it, None for every server. C(fixed_in): the first build without it."""

    flag: str | None
    fixed_in: int
    name: str
    what: str
    source: str


HOLES = (
    Hole("--rpc", 8492, "CVE-2026-34159", "the RPC backend reads and writes anywhere", f"{ADVISORIES}/GHSA-j8rj-fmpv-wcxw"),
    Hole(MODEL, 5662, "CVE-2025-49847", "a vocabulary overflows a buffer", "https://nvd.nist.gov/vuln/detail/CVE-2025-49847"),
    Hole(MODEL, 5721, "CVE-2025-52566", "a tokenizer's token count overflows", "https://nvd.nist.gov/vuln/detail/CVE-2025-52566"),
    Hole(MODEL, 7824, "CVE-2026-33298", "a tensor's size overflows the heap", f"{ADVISORIES}/GHSA-96jg-mvhq-q7q7"),
    Hole(MODEL, 8146, "CVE-2026-27940", "a GGUF header overflows the heap", f"{ADVISORIES}/GHSA-3p4r-fq3f-q74v"),
    Hole(
        None, 8908, "CVE-2026-21869", "a negative n_discard in a request overflows the heap",
        "https://github.com/ggml-org/llama.cpp/pull/22267",
    ),
    Hole(
        "--sleep-idle-seconds", 9061, "CVE-2026-43631", "a request while the model is unloaded uses freed memory",
        f"{ADVISORIES}/GHSA-6hc7-9rph-cm99",
    ),
    Hole(
        MODEL, 10436, "the tokenizer fixes of August 2026", "a crafted GGUF writes outside its buffers",
        "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/2289",
    ),
)  # fmt: skip


def minimum_build(args):
    """(build, Holes that are open below it, those that ask for the newest build first) for a server started with C(args) and a model."""
    flags = {MODEL, *(argument.partition("=")[0] for argument in args if argument.startswith("--"))}
    holes = sorted((hole for hole in HOLES if hole.flag is None or hole.flag in flags), key=lambda hole: -hole.fixed_in)
    return holes[0].fixed_in, tuple(holes)
