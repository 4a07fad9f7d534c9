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
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    # A container has no kernel of its own to load modules into; the unit's failure would leave systemd "degraded".
    '--customize-hook=ln -sf /dev/null "$1/etc/systemd/system/systemd-modules-load.service"',
)
# Container engines inside the machine, and the smallest thing an image can be made of.
ENGINES = ("aardvark-dns", "busybox-static", "docker.io", "iptables", "netavark", "nftables", "podman", "runc")
# A user without root who runs containers, too.
ROOTLESS = ("libpam-systemd", "rootlesskit", "slirp4netns", "uidmap")
# There is no source of EL or SUSE systems here. Debian with their package manager and a release file that says so runs the same tools.
RPM = ("busybox-static", "iptables", "netavark", "nftables", "podman", "rpm", "runc")


def says(name: str, identity: str, like: str, version: str) -> str:
    """An option that gives the system another name."""
    values = {"NAME": name, "ID": identity, "ID_LIKE": like, "VERSION_ID": version, "PRETTY_NAME": f"{name} {version} (a stand-in made of Debian)"}
    lines = (f'{key}="{value}"' for key, value in values.items())
    return f"""--customize-hook=rm "$1/etc/os-release"; printf '%s\\n' {" ".join(f"'{line}'" for line in lines)} >"$1/etc/os-release" """


# containerd 2, which the release after Debian 13 has: no other package there that it needs is newer.
CONTAINERD_2 = (
    """--customize-hook=mkdir -p "$1/tmp/newer/partial"; sed -n 's/ trixie / forky /p' "$1/etc/apt/sources.list" >"$1/tmp/newer.list";"""
    """ o='-o Dir::Etc::SourceList=/tmp/newer.list -o Dir::Etc::SourceParts=- -o Dir::State::Lists=/tmp/newer -o Acquire::Check-Valid-Until=false';"""
    """ chroot "$1" sh -ec "cd /tmp; apt-get $o update; apt-get $o download containerd;"""
    """ dpkg --install containerd_*.deb; rm -r newer newer.list containerd_*" """
)
# Debian 13 has no llama.cpp. Debian's unstable has, with a GPU in software (Mesa's llvmpipe); of it only what llama-server needs is taken.
# Mesa's drivers for real GPUs are large, and would look for some.
SERVERS = (*ENGINES, "acl", "curl", "dbus-user-session", "docker-cli", "docker-compose", "fuse-overlayfs", "libpam-systemd", "passt", "uidmap")
LLAMA = "curl libggml0-backend-vulkan llama.cpp-tools mesa-vulkan-drivers"
FROM_UNSTABLE = (
    """--setup-hook=sed -n -e '/updates/d' -e '/security/d' -e 's/ trixie / sid /p' "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/sid.list" """,
    """--setup-hook=printf 'Package: *\\nPin: release n=sid\\nPin-Priority: 100\\n' >"$1/etc/apt/preferences.d/sid" """,
    '--aptopt=Acquire::Check-Valid-Until "false"',
    "--dpkgopt=path-exclude=/usr/lib/*/libvulkan_*",
    "--dpkgopt=path-include=/usr/lib/*/libvulkan_lvp.so",
    f'--customize-hook=DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get -qq --no-install-recommends --target-release=sid install {LLAMA} >/dev/null',
)
# Name: the suite, packages beside the common ones, options beside the common ones.
IMAGES = {
    "debian12": ("bookworm", (), ()),
    "debian13": ("trixie", (), ()),
    "toolkit_debian12": ("bookworm", ENGINES, ()),
    "toolkit_debian13": ("trixie", (*ENGINES, *ROOTLESS, "docker-cli"), ()),
    "toolkit_rpm": ("bookworm", ("dnf", *RPM), (says("Rocky Linux", "rocky", "rhel centos fedora", "9.6"),)),
    "toolkit_suse": ("trixie", ("zypper", *RPM), (says("openSUSE Leap", "opensuse-leap", "suse opensuse", "16.0"), CONTAINERD_2)),
    "servers_debian13": ("trixie", SERVERS, FROM_UNSTABLE),
}
FALLBACK = pathlib.Path(__file__).with_name("containers.conf")


def image(name: str) -> str:
    """The name of the image, made when this machine does not have it yet. Its tag is the digest of its definition."""
    suite, packages, more = IMAGES[name]
    options = (*OPTIONS, f"--include={','.join((*PACKAGES, *packages))}", *more)
    digest = hashlib.sha256("\0".join((suite, *options)).encode()).hexdigest()[:12]
    tag = f"localhost/prositronic-infra/{name}:{digest}"
    if subprocess.run(["podman", "image", "exists", tag], check=False).returncode:
        with tempfile.TemporaryDirectory() as folder:
            archive = f"{folder}/{name}.tar"
            subprocess.run(["mmdebstrap", "--quiet", *options, suite, archive], check=True, stdin=subprocess.DEVNULL)
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
