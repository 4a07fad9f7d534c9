# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Programs the machine itself must have."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

# Each program with the packages that bring it on Debian and Ubuntu.
Programs = dict[str, tuple[str, ...]]

PODMAN: Programs = {
    "podman": ("podman", "netavark", "aardvark-dns", "iptables", "nftables"),
    "mmdebstrap": ("mmdebstrap", "debian-archive-keyring"),
}
# What holds a pod together.
PAUSE: Programs = {"catatonit": ("catatonit",)}
RUNC: Programs = {"runc": ("runc",)}
# ansible-test leaves its test of shell scripts out where this is missing.
SHELLCHECK: Programs = {"shellcheck": ("shellcheck",)}


class Missing(Exception):
    """One sentence that names what is missing."""


def require(programs: Programs) -> None:
    """Install what is missing where that can be done, or say what to install."""
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return
    packages = [package for program in missing for package in programs[program]]
    if os.geteuid() != 0 or not _has_apt():
        raise Missing(
            f"The tests need {' and '.join(missing)}, which only root on Debian or Ubuntu gets installed by them:"
            f" install {' '.join(packages)}, then run this again."
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        print("apt-get", *command, flush=True)
        subprocess.run(["apt-get", "--quiet", *command], env=environment, stdin=subprocess.DEVNULL, check=False)
    still = [program for program in missing if not shutil.which(program)]
    if still:
        raise Missing(f"The tests need {' and '.join(still)}, and apt-get could not install {' '.join(packages)} (see above).")


def _has_apt() -> bool:
    release = pathlib.Path("/etc/os-release")
    lines = release.read_text(encoding="utf-8").splitlines() if release.exists() else []
    family = " ".join(line.partition("=")[2].strip('"') for line in lines if line.startswith(("ID=", "ID_LIKE=")))
    return bool({"debian", "ubuntu"} & set(family.split())) and shutil.which("apt-get") is not None
