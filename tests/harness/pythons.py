# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which interpreters this machine has, and which ansible-core each of them can run."""

from __future__ import annotations

import os
import pathlib
import subprocess
from dataclasses import dataclass

Version = tuple[int, int]

USABLE = "import ensurepip, sys, venv; print(*sys.version_info[:2])"


@dataclass(frozen=True)
class Core:
    """One ansible-core series: the pinned release and the Pythons its controller runs on."""

    series: str
    release: str
    oldest: Version
    newest: Version

    def runs_on(self, version: Version) -> bool:
        return self.oldest <= version <= self.newest


@dataclass(frozen=True)
class Pair:
    """An ansible-core and the interpreter that runs it."""

    core: Core
    version: Version
    interpreter: str

    def __str__(self) -> str:
        return f"ansible-core {self.core.release} on Python {dotted(self.version)}"


OLD_CORES = (
    Core("2.16", "2.16.19", (3, 10), (3, 12)),
    Core("2.19", "2.19.14", (3, 11), (3, 13)),
)
# The newest of these that an interpreter here can run is tested, and runs every check other than the unit tests.
NEW_CORES = (
    Core("2.21", "2.21.5", (3, 12), (3, 14)),
    Core("2.20", "2.20.10", (3, 12), (3, 14)),
    OLD_CORES[-1],
)


def dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def find() -> dict[Version, str]:
    """Every usable python3.9 to python3.15 on PATH, then in pyenv's versions folder."""
    folders = [pathlib.Path(folder) for folder in os.get_exec_path()]
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv")
    folders += sorted(pyenv.glob("versions/3.*/bin"), reverse=True)
    found: dict[Version, str] = {}
    for minor in range(9, 16):
        for folder in folders:
            candidate = folder / f"python3.{minor}"
            if candidate.is_file() and _usable(candidate, (3, minor)):
                found[3, minor] = str(candidate)
                break
    return found


def _usable(candidate: pathlib.Path, version: Version) -> bool:
    """A file of that name may be a shim without an interpreter behind it, or lack the parts that make virtual environments."""
    answer = subprocess.run([candidate, "-c", USABLE], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and answer.stdout.split() == [str(part) for part in version]


def newest_core(found: dict[Version, str]) -> Pair | None:
    """The newest core any interpreter here can run, on the newest interpreter that can."""
    for core in NEW_CORES:
        versions = [version for version in found if core.runs_on(version)]
        if versions:
            return Pair(core, max(versions), found[max(versions)])
    return None


def unit_pairs(found: dict[Version, str]) -> list[Pair]:
    """The cores to run unit tests on: old ones on the oldest interpreter they allow, the newest core on the newest."""
    newest = newest_core(found)
    pairs = []
    for core in OLD_CORES:
        versions = [version for version in found if core.runs_on(version)]
        if versions and not (newest and newest.core is core):
            pairs.append(Pair(core, min(versions), found[min(versions)]))
    return pairs + ([newest] if newest else [])


def node_versions(found: dict[Version, str], core: Core) -> list[Version]:
    """The Pythons found here that a node may have: the collection's code for nodes needs 3.9."""
    return [version for version in sorted(found) if version <= core.newest]


def not_run(found: dict[Version, str]) -> list[str]:
    """One line for each core that no interpreter here can run."""
    return [
        f"ansible-core {core.series} is not tested here: it needs Python {dotted(core.oldest)} to {dotted(core.newest)}"
        f" and this machine has {', '.join(map(dotted, sorted(found))) or 'none of 3.10 to 3.15'}"
        for core in sorted({*OLD_CORES, *NEW_CORES}, key=lambda core: core.release)
        if not any(map(core.runs_on, found))
    ]
