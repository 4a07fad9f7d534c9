# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Container images that boot systemd, made from Debian's packages: no container registry is asked."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import tempfile

import machine

PACKAGES = (
    'ca-certificates', 'dbus', 'iproute2', 'libgomp1', 'procps', 'python3', 'python3-apt', 'python3-venv', 'sudo', 'systemd', 'systemd-sysv',
)  # fmt: skip
OPTIONS = (
    "--variant=minbase",
    f"--include={','.join(PACKAGES)}",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    # A container has no kernel of its own to load modules into; the unit's failure would leave systemd "degraded".
    '--customize-hook=ln -sf /dev/null "$1/etc/systemd/system/systemd-modules-load.service"',
)
SUITES = {"debian12": "bookworm", "debian13": "trixie"}
FALLBACK = pathlib.Path(__file__).with_name("containers.conf")


def image(name: str) -> str:
    """The name of the image, made when this machine does not have it yet. Its tag is the digest of its definition."""
    suite = SUITES[name]
    digest = hashlib.sha256("\0".join((suite, *OPTIONS)).encode()).hexdigest()[:12]
    tag = f"localhost/prositronic-infra/{name}:{digest}"
    if subprocess.run(["podman", "image", "exists", tag], check=False).returncode:
        with tempfile.TemporaryDirectory() as folder:
            archive = f"{folder}/{name}.tar"
            subprocess.run(["mmdebstrap", "--quiet", *OPTIONS, suite, archive], check=True, stdin=subprocess.DEVNULL)
            subprocess.run(["podman", "import", "--quiet", archive, tag], check=True)
    return tag


def engine_settings(tag: str) -> dict[str, str]:
    """Environment variables podman needs to start a container here: none where its defaults can."""
    if not _starts(tag, {}):
        return {}
    machine.require(machine.RUNC)
    fallback = {"CONTAINERS_CONF": str(FALLBACK)}
    error = _starts(tag, fallback)
    if error:
        raise machine.Missing(f"podman cannot start a container on this machine: {error}")
    return fallback


def _starts(tag: str, settings: dict[str, str]) -> str:
    probe = subprocess.run(
        ["podman", "run", "--rm", "--network=none", tag, "true"], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    return probe.stderr.strip() if probe.returncode else ""
