# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import base64
import hashlib

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.openpgp import checked_key, fingerprints, plain_fingerprint, spaced

# A key made with gpg 2.2.40, which says of it: fingerprint 94D491CBEA05640745D3EE9CEDD90134A5D05665.
ARMOURED = b"""-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawdfkhYJKwYBBAHaRw8BAQdA8AfM+NvprvbFbxVsX7BhpNpRdeuT9UHT6Zr/
2/6TPOO0G05vYm9keSA8bm9ib2R5QGV4YW1wbGUuY29tPoiQBBMWCAA4FiEElNSR
y+oFZAdF0+6c7dkBNKXQVmUFAmsHX5ICGwMFCwkIBwIGFQoJCAsCBBYCAwECHgEC
F4AACgkQ7dkBNKXQVmXeswEAvTMGY8HvnyAib4EjU8JtoLGwUrklKMKAOdjawMZe
6nQBAP2ybmTlO19bbCgGlnwaaXAZ7WU96DkPLV+rGMZkEz4L
=v5f2
-----END PGP PUBLIC KEY BLOCK-----
"""
FINGERPRINT = "94D491CBEA05640745D3EE9CEDD90134A5D05665"


def binary():
    lines = ARMOURED.split(b"\n\n", 1)[1].split(b"\n=")[0].split()
    return base64.b64decode(b"".join(lines))


@pytest.mark.parametrize("data", [ARMOURED, ARMOURED.replace(b"\n", b"\r\n"), b"Some text.\n" + ARMOURED, binary()])
def test_the_fingerprint_is_the_one_that_gpg_tells(data):
    assert fingerprints(data) == [FINGERPRINT]


def test_every_key_in_a_file_counts():
    assert fingerprints(ARMOURED + ARMOURED) == [FINGERPRINT, FINGERPRINT]
    with pytest.raises(InfraError, match="not the expected signing key"):
        checked_key(ARMOURED + ARMOURED, [FINGERPRINT])


def test_a_key_is_taken_only_when_it_is_the_expected_one():
    assert checked_key(ARMOURED, [spaced(FINGERPRINT).lower()]) == ARMOURED
    with pytest.raises(InfraError) as caught:
        checked_key(ARMOURED, ["C95B321B61E88C1809C4F759DDCAE044F796ECB0"])
    assert caught.value.got == spaced(FINGERPRINT)
    assert caught.value.expected == "C95B 321B 61E8 8C18 09C4 F759 DDCA E044 F796 ECB0"


def test_a_changed_key_has_another_fingerprint():
    data = bytearray(binary())
    data[20] ^= 1
    assert fingerprints(bytes(data)) != [FINGERPRINT]


def test_a_key_of_version_6_has_a_longer_one():
    body = b"\x06" + bytes(40)
    assert fingerprints(bytes([0xC6, len(body)]) + body) == [hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()]


@pytest.mark.parametrize("data", [b"", b"<html>", ARMOURED.replace(b"m", b"!"), binary()[:-200], b"\xc6", b"\xc6\xe0\x00", b"\xb4\x01a", b"\xc6\x01\x03"])
def test_what_is_no_key_is_refused(data):
    with pytest.raises(InfraError):
        fingerprints(data)


@pytest.mark.parametrize("text", ["", "F796ECB0", "DDCAE044F796ECB0", "Z" * 40, "A" * 41])
def test_short_key_ids_are_no_fingerprints(text):
    with pytest.raises(InfraError):
        plain_fingerprint(text)
