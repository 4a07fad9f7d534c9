# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit import index

PACKAGES = """Package: a
Version: 1.20.0-1
Filename: ./a_1.20.0-1_amd64.deb
Size: 10
SHA256: aaaa
Description: text
 Version: 9

Package: a
Version: 1.19.1-1
Filename: ./a_1.19.1-1_amd64.deb
Size: 11
SHA256: bbbb

Package: other
Version: 1.20.0-1
Filename: other.deb
Size: 12
SHA256: cccc
"""
PRIMARY = """<metadata xmlns="http://linux.duke.edu/metadata/common">
<package type="rpm"><name>a</name><version epoch="0" ver="1.20.0" rel="1"/><checksum type="sha256" pkgid="YES">aaaa</checksum>
<size package="10" installed="1"/><location href="a-1.20.0-1.x86_64.rpm"/></package>
<package type="rpm"><name>a</name><version epoch="0" ver="1.20.0" rel="2"/><checksum type="sha256" pkgid="YES">bbbb</checksum>
<size package="11" installed="1"/><location href="a-1.20.0-2.x86_64.rpm"/></package>
</metadata>"""
REPOMD = """<repomd xmlns="http://linux.duke.edu/metadata/repo">
<data type="filelists"><checksum type="sha256">ffff</checksum><location href="repodata/f.xml.gz"/></data>
<data type="primary"><checksum type="sha256">eeee</checksum><location href="repodata/p.xml.gz"/></data></repomd>"""


def test_packages_of_one_version_are_found_in_both_kinds_of_lists():
    found = index.apt_packages(PACKAGES, ["a"], "1.20.0-1")
    assert found == [{"name": "a", "version": "1.20.0-1", "path": "a_1.20.0-1_amd64.deb", "size_bytes": 10, "sha256": "aaaa"}]
    found = index.rpm_packages(PRIMARY, ["a"], "1.20.0-1")
    assert found == [{"name": "a", "version": "1.20.0-1", "path": "a-1.20.0-1.x86_64.rpm", "size_bytes": 10, "sha256": "aaaa"}]


def test_the_lists_are_found_with_their_checksums():
    release = "-----BEGIN PGP SIGNED MESSAGE-----\nMD5Sum:\n 1 2 Packages\nSHA256:\n dddd 20 Packages\n eeee 10 Packages.gz\nSHA512:\n ffff 3 Packages\n"
    assert index.release_checksum(release, "Packages") == "dddd"
    assert index.primary_file(REPOMD) == ("repodata/p.xml.gz", "eeee")
    with pytest.raises(InfraError):
        index.release_checksum(release, "Contents")


def test_what_is_not_as_listed_is_refused():
    assert index.checked(b"a", hashlib.sha256(b"a").hexdigest(), "here") == b"a"
    with pytest.raises(InfraError, match="here: the checksum is wrong"):
        index.checked(b"b", hashlib.sha256(b"a").hexdigest(), "here")


def test_a_package_that_is_missing_is_named():
    with pytest.raises(InfraError, match=r"expected b 1\.20\.0-1"):
        index.complete(index.apt_packages(PACKAGES, ["a", "b"], "1.20.0-1"), ["a", "b"], "1.20.0-1", "here")
