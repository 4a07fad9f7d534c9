# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NVIDIA's Container Toolkit as packages in signed repositories, made on this machine: NVIDIA's own repository is not asked.

The packages have the names, the dependencies and the files of NVIDIA's. The toolkit's Go programs in them are real, built from the Go module
proxy. The library libnvidia-container and its tool, which are not written in Go, are stand-ins, as are the driver, its nvidia-smi and the GPUs.
"""

from __future__ import annotations

import gzip
import os
import pathlib
import shutil
import subprocess

import checkout
import machine

NEEDED: machine.Programs = {
    "gcc": ("gcc", "libc6-dev"),
    "gpg": ("gpg", "gpg-agent"),
    "dpkg-deb": ("dpkg",),
    "dpkg-scanpackages": ("dpkg-dev",),
    "apt-ftparchive": ("apt-utils",),
    "rpmbuild": ("rpm",),
    "createrepo_c": ("createrepo-c",),
}
MODULE = "github.com/NVIDIA/nvidia-container-toolkit"
VERSION = "1.20.0"
# Holds the programs of the other one: only what package managers see of it is older.
OLDER = "1.19.1"
PROGRAMS = ("nvidia-ctk", "nvidia-cdi-hook", "nvidia-container-runtime", "nvidia-container-runtime-hook")
DRIVER = "570.86.15"

HERE = pathlib.Path(__file__).with_name("toolkit")
BASE, TOOLKIT, TOOLS, LIBRARY = "nvidia-container-toolkit-base", "nvidia-container-toolkit", "libnvidia-container-tools", "libnvidia-container1"


def folder() -> pathlib.Path:
    """The folder with everything, made when it is not there or of other definitions."""
    place = checkout.CACHE / "toolkit"
    stamp = "\0".join(path.read_text(encoding="utf-8") for path in (pathlib.Path(__file__), *sorted(HERE.iterdir())))
    done = place / "stamp"
    if done.exists() and done.read_text(encoding="utf-8") == stamp:
        return place / "made"
    machine.require(NEEDED)
    source = programs(place / "go")
    made = place / "made"
    shutil.rmtree(made, ignore_errors=True)
    driver(made / "driver")
    for version in (OLDER, VERSION):
        files = layout(place / "layout", source, place / "go")
        debs(files, place / "build", version, made / "packages" / "deb")
        rpms(files, place / "build", version, made / "packages" / "rpm")
    # Real gpg keeps its sockets there, and their paths must be short.
    home = pathlib.Path(f"/tmp/prositronic-infra-gnupg-{os.getpid()}")
    try:
        keys = {name: key(home, name) for name in ("nvidia", "somebody")}
        for name, fingerprint in keys.items():
            repository(made, made / name, home, fingerprint)
            (made / name / "gpgkey").write_bytes(gpg(home, "--armor", "--export", fingerprint))
            (made / name / "fingerprint").write_text(fingerprint, encoding="utf-8")
        # What somebody else signed, under the name of the right key.
        shutil.copy(made / "nvidia" / "gpgkey", made / "somebody" / "right_gpgkey")
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)
    done.write_text(stamp, encoding="utf-8")
    return made


def programs(place: pathlib.Path) -> pathlib.Path:
    """Build the Go programs into C(place); the folder of the module's source."""
    if not shutil.which("go"):
        raise machine.Missing(f"The tests build {MODULE} and need Go 1.25 or newer: install it (no older Debian has it), then run this again.")
    environment = {**os.environ, "CGO_ENABLED": "1", "GOBIN": str(place), "GOFLAGS": "-trimpath"}
    linked = f"-s -w -X {MODULE}/internal/info.version={VERSION}"
    for name in PROGRAMS:
        if not (place / name).exists():
            build = ["go", "install", "-ldflags", linked, f"{MODULE}/cmd/{name}@v{VERSION}"]
            done = subprocess.run(build, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                raise machine.Missing(f"The tests build {MODULE} v{VERSION} with Go, which failed: {done.stderr.strip().splitlines()[-1]}")
    said = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    # Go writes a capital letter as an exclamation mark and the small letter.
    return pathlib.Path(said) / f"{MODULE.replace('NVIDIA', '!n!v!i!d!i!a')}@v{VERSION}"


def driver(place: pathlib.Path) -> None:
    """The stand-ins for what the driver brings."""
    place.mkdir(parents=True)
    compile_it = ["gcc", "-shared", "-fPIC", f'-DDRIVER="{DRIVER}"', "-o", str(place / f"libnvidia-ml.so.{DRIVER}"), str(HERE / "nvml.c")]
    subprocess.run([*compile_it, "-Wl,-soname,libnvidia-ml.so.1"], check=True)
    (place / "nothing.c").write_text("int nothing;\n", encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-o", str(place / f"libcuda.so.{DRIVER}"), str(place / "nothing.c"), "-Wl,-soname,libcuda.so.1"], check=True)
    (place / "nothing.c").unlink()
    program = place / "nvidia-smi"
    program.write_text((HERE / "nvidia-smi.sh").read_text(encoding="utf-8").replace("@DRIVER@", DRIVER), encoding="utf-8")
    program.chmod(0o755)


def layout(place: pathlib.Path, source: pathlib.Path, built: pathlib.Path) -> dict[str, dict[str, tuple[pathlib.Path, int]]]:
    """Package: {path on the node: (file, mode)}."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    tool, library, link = place / "nvidia-container-cli", place / "library", place / "mode"
    tool.write_text("#!/bin/sh\necho 'A stand-in for the tests.'\n", encoding="utf-8")
    library.write_text("A stand-in for the tests.\n", encoding="utf-8")
    link.write_text('#!/bin/sh\nexec /usr/bin/nvidia-container-runtime "$@"\n', encoding="utf-8")
    units = source / "deployments" / "systemd"
    return {
        LIBRARY: {"/usr/lib/x86_64-linux-gnu/libnvidia-container.so.1": (library, 0o644)},
        TOOLS: {"/usr/bin/nvidia-container-cli": (tool, 0o755)},
        BASE: {
            "/usr/bin/nvidia-ctk": (built / "nvidia-ctk", 0o755),
            "/usr/bin/nvidia-cdi-hook": (built / "nvidia-cdi-hook", 0o755),
            "/usr/bin/nvidia-container-runtime": (built / "nvidia-container-runtime", 0o755),
            "/usr/bin/nvidia-container-runtime.cdi": (link, 0o755),
            "/usr/bin/nvidia-container-runtime.legacy": (link, 0o755),
            "/usr/lib/systemd/system/nvidia-cdi-refresh.service": (units / "nvidia-cdi-refresh.service", 0o644),
            "/usr/lib/systemd/system/nvidia-cdi-refresh.path": (units / "nvidia-cdi-refresh.path", 0o644),
            "/usr/lib/systemd/system-preset/90-nvidia-container-toolkit.preset": (units / "90-nvidia-container-toolkit.preset", 0o644),
            "/etc/nvidia-container-toolkit/nvidia-cdi-refresh.env": (units / "nvidia-cdi-refresh.env", 0o644),
        },
        TOOLKIT: {"/usr/bin/nvidia-container-runtime-hook": (built / "nvidia-container-runtime-hook", 0o755)},
    }


def needs(version: str) -> dict[str, tuple[str, ...]]:
    """As NVIDIA's packages need one another since 1.18: exactly the same version."""
    return {LIBRARY: (), TOOLS: (LIBRARY,), BASE: (), TOOLKIT: (BASE, TOOLS)}


# As debhelper makes it of NVIDIA's files.
AFTER_DEB = """#!/bin/sh
set -e
if [ "$1" = configure ]; then
    /usr/bin/nvidia-ctk --quiet config --config-file=/etc/nvidia-container-runtime/config.toml --in-place
    for unit in nvidia-cdi-refresh.path nvidia-cdi-refresh.service; do deb-systemd-helper enable $unit >/dev/null || true; done
    if [ -d /run/systemd/system ]; then
        systemctl --system daemon-reload >/dev/null || true
        deb-systemd-invoke start nvidia-cdi-refresh.path nvidia-cdi-refresh.service >/dev/null || true
    fi
fi
"""
BEFORE_DEB_REMOVAL = """#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    deb-systemd-invoke stop nvidia-cdi-refresh.path nvidia-cdi-refresh.service >/dev/null || true
fi
"""
AFTER_DEB_REMOVAL = """#!/bin/sh
set -e
if [ "$1" = purge ]; then
    rm -rf /etc/nvidia-container-runtime
    for unit in nvidia-cdi-refresh.path nvidia-cdi-refresh.service; do deb-systemd-helper purge $unit >/dev/null || true; done
fi
"""


def debs(files, build: pathlib.Path, version: str, to: pathlib.Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for name, contents in files.items():
        root = build / "deb"
        shutil.rmtree(root, ignore_errors=True)
        put(contents, root)
        depends = ", ".join(f"{other} (= {version}-1)" for other in needs(version)[name])
        control = root / "DEBIAN" / "control"
        control.parent.mkdir()
        control.write_text(
            f"Package: {name}\nVersion: {version}-1\nArchitecture: amd64\nMaintainer: The tests <nobody@example.com>\nSection: utils\n"
            f"Priority: optional\n{f'Depends: {depends}' + chr(10) if depends else ''}Description: A stand-in for the tests\n",
            encoding="utf-8",
        )
        if name == BASE:
            (control.parent / "conffiles").write_text("/etc/nvidia-container-toolkit/nvidia-cdi-refresh.env\n", encoding="utf-8")
            for script, text in (("postinst", AFTER_DEB), ("prerm", BEFORE_DEB_REMOVAL), ("postrm", AFTER_DEB_REMOVAL)):
                (control.parent / script).write_text(text, encoding="utf-8")
                (control.parent / script).chmod(0o755)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(root), str(to / f"{name}_{version}-1_amd64.deb")], check=True, stdout=subprocess.DEVNULL
        )


# What NVIDIA's scripts do, in Lua: a shell script would need a package that owns /bin/sh, which the stand-in for a system of RPMs does not have.
RPM_SCRIPTS = """%post -p <lua>
rpm.execute("/usr/bin/nvidia-ctk", "--quiet", "config", "--config-file=/etc/nvidia-container-runtime/config.toml", "--in-place")
rpm.execute("systemctl", "--quiet", "preset", "nvidia-cdi-refresh.path", "nvidia-cdi-refresh.service")
%preun -p <lua>
if tonumber(arg[2]) == 0 then
  rpm.execute("systemctl", "--quiet", "disable", "--now", "nvidia-cdi-refresh.path", "nvidia-cdi-refresh.service")
end
%posttrans -p <lua>
rpm.execute("systemctl", "daemon-reload")
rpm.execute("systemctl", "start", "nvidia-cdi-refresh.path", "nvidia-cdi-refresh.service")
"""


def rpms(files, build: pathlib.Path, version: str, to: pathlib.Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for name, contents in files.items():
        root, top = build / "rpm", build / "rpmbuild"
        shutil.rmtree(root, ignore_errors=True)
        put({path.replace("/lib/x86_64-linux-gnu/", "/lib64/"): file for path, file in contents.items()}, root)
        requires = "".join(f"Requires: {other} = {version}-1\n" for other in needs(version)[name])
        paths = [path for path in sorted(root.rglob("*")) if path.is_file()]
        listed = "\n".join(f"{'%config(noreplace) ' if path.suffix == '.env' else ''}/{path.relative_to(root)}" for path in paths)
        spec = build / f"{name}.spec"
        spec.write_text(
            f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: A stand-in for the tests\nLicense: Apache-2.0\nAutoReqProv: no\n{requires}"
            f"%description\nA stand-in for the tests.\n%install\ncp -a {root}/. %{{buildroot}}\n{RPM_SCRIPTS if name == BASE else ''}%files\n{listed}\n",
            encoding="utf-8",
        )
        define = ["--define", f"_topdir {top}", "--define", "_build_id_links none", "--define", "__os_install_post %{nil}", "--target", "x86_64"]
        subprocess.run(["rpmbuild", "--quiet", "-bb", *define, str(spec)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copy(top / "RPMS" / "x86_64" / f"{name}-{version}-1.x86_64.rpm", to)


def put(contents, root: pathlib.Path) -> None:
    for path, (file, mode) in contents.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        target.chmod(mode)


def repository(made: pathlib.Path, place: pathlib.Path, home: pathlib.Path, fingerprint: str) -> None:
    """A flat repository for apt and one for dnf and zypper, in the folders that NVIDIA's has, signed by one key."""
    deb, rpm = place / "deb" / "amd64", place / "rpm" / "x86_64"
    shutil.copytree(made / "packages" / "deb", deb)
    shutil.copytree(made / "packages" / "rpm", rpm)
    listing = subprocess.run(["dpkg-scanpackages", "--multiversion", "."], cwd=deb, capture_output=True, check=True).stdout
    (deb / "Packages").write_bytes(listing)
    (deb / "Packages.gz").write_bytes(gzip.compress(listing))
    release = subprocess.run(
        ["apt-ftparchive", "-o", "APT::FTPArchive::Release::Origin=tests", "release", "."], cwd=deb, capture_output=True, check=True
    ).stdout
    (deb / "Release").write_bytes(release)
    gpg(home, "--local-user", fingerprint, "--clear-sign", "--output", str(deb / "InRelease"), str(deb / "Release"))
    subprocess.run(["createrepo_c", "--quiet", str(rpm)], check=True)
    gpg(home, "--local-user", fingerprint, "--armor", "--detach-sign", str(rpm / "repodata" / "repomd.xml"))
    # zypper offers to trust what a repository brings under this name.
    (rpm / "repodata" / "repomd.xml.key").write_bytes(gpg(home, "--armor", "--export", fingerprint))


def key(home: pathlib.Path, name: str) -> str:
    home.mkdir(mode=0o700, exist_ok=True)
    gpg(home, "--quick-generate-key", f"The tests ({name}) <{name}@example.com>", "rsa2048", "sign", "0")
    listed = gpg(home, "--list-keys", "--with-colons", f"{name}@example.com").decode()
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))


def gpg(home: pathlib.Path, *arguments: str) -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    return subprocess.run([*command, *arguments], capture_output=True, check=True).stdout
