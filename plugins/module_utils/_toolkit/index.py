# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lists of packages of apt and RPM repositories, with the checksums that lead from their signature to each package. Private."""

from __future__ import annotations

import gzip
import hashlib
import re
from xml.etree import ElementTree

from .._errors import InfraError

_REPO = "{http://linux.duke.edu/metadata/repo}"
_COMMON = "{http://linux.duke.edu/metadata/common}"


def checked(data, sha256, where):
    """C(data), when it has this checksum. Raises InfraError otherwise."""
    got = hashlib.sha256(data).hexdigest()
    if got != sha256:
        raise InfraError("the checksum is wrong", where=where, got=got, expected=sha256, fix="The repository is damaged, or somebody changed it")
    return data


def release_checksum(release, name):
    """The SHA-256 checksum that a Release file, signed or not, gives for one of its files."""
    section = re.search(r"^SHA256:\n((?: .*\n?)+)", release, re.MULTILINE)
    for line in (section.group(1) if section else "").splitlines():
        checksum, _size, path = line.split()
        if path == name or path == f"./{name}":
            return checksum
    raise InfraError("the file is not in the list of the repository", where="Release", got="no such name", expected=name)


def apt_packages(text, names, version):
    """[{name, version, path, size_bytes, sha256}] of the packages with these names in exactly this version."""
    found = []
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.MULTILINE))
        if fields.get("Package") in names and fields.get("Version") == version:
            found.append(_package(fields["Package"], version, fields["Filename"], fields["Size"], fields["SHA256"]))
    return found


def primary_file(repomd):
    """(path, SHA-256 checksum) of the list of packages, from an RPM repository's repomd.xml."""
    for data in ElementTree.fromstring(repomd).iter(f"{_REPO}data"):
        checksum = data.find(f"{_REPO}checksum")
        if data.get("type") == "primary" and checksum.get("type") == "sha256":
            return data.find(f"{_REPO}location").get("href"), checksum.text
    raise InfraError("there is no list of packages with a SHA-256 checksum", where="repomd.xml")


def rpm_packages(primary, names, version):
    """The same as apt_packages() from an RPM repository's list."""
    found = []
    for package in ElementTree.fromstring(primary).iter(f"{_COMMON}package"):
        name, told = package.find(f"{_COMMON}name").text, package.find(f"{_COMMON}version")
        if name in names and f"{told.get('ver')}-{told.get('rel')}" == version:
            checksum = package.find(f"{_COMMON}checksum")
            sha256 = checksum.text if checksum.get("type") == "sha256" else None
            size = package.find(f"{_COMMON}size").get("package")
            found.append(_package(name, version, package.find(f"{_COMMON}location").get("href"), size, sha256))
    return found


def unpacked(data, name):
    """The text of a list, compressed or not."""
    if not name.endswith(".gz"):
        return data.decode("utf-8")
    return gzip.decompress(data).decode("utf-8")


def complete(found, names, version, where):
    """C(found) in the order of C(names). Raises InfraError when one is missing."""
    by_name = {package["name"]: package for package in found}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise InfraError("packages are not in the repository in this version", where=where, got=", ".join(by_name) or "none of them",
                         expected=", ".join(f"{name} {version}" for name in missing))  # fmt: skip
    return [by_name[name] for name in names]


def _package(name, version, path, size, sha256):
    return {"name": name, "version": version, "path": re.sub(r"^\./", "", path), "size_bytes": int(size), "sha256": sha256}
