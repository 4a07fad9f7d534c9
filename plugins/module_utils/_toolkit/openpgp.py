# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fingerprints of OpenPGP public keys, without gpg. Private: not an interface for other collections.

A package manager trusts every key in a key file, so all of them have to be known. Formats: RFC 9580, section 5.5.4.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from .._errors import InfraError, shown

_ARMOUR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_PUBLIC_KEY = 6


def checked_key(data, expected):
    """C(data), when the key file holds the keys with these fingerprints and no others. Raises InfraError otherwise."""
    got = fingerprints(data)
    wanted = [plain_fingerprint(fingerprint) for fingerprint in expected]
    if sorted(got) != sorted(wanted):
        raise InfraError(
            "this is not the expected signing key", where="key", got=" and ".join(map(spaced, got)), expected=" and ".join(map(spaced, wanted)),
            fix="Nothing was trusted. Find out who serves this key; when NVIDIA changed it, give the new fingerprint",
        )  # fmt: skip
    return data


def fingerprints(data):
    """The fingerprints (capital hexadecimal digits) of the primary keys in an armoured or binary key file."""
    found = [_fingerprint(body) for tag, body in _packets(binary_key(data)) if tag == _PUBLIC_KEY]
    if not found:
        raise InfraError("there is no OpenPGP public key in it", where="key", got=shown(data[:40]), expected="a key file, armoured or binary")
    return found


def binary_key(data):
    """A key file without its armour."""
    return b"".join(_unarmoured(match.group(1)) for match in _ARMOUR.finditer(data)) or data


def plain_fingerprint(text):
    """A fingerprint as capital digits without spaces. Raises InfraError for anything shorter: short key ids can be forged."""
    plain = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{40}([0-9A-F]{24})?", plain):
        raise InfraError("this is no fingerprint", where="fingerprint", got=shown(text), expected="40 or 64 hexadecimal digits")
    return plain


def spaced(fingerprint):
    """A fingerprint in groups of four, as people compare it."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def _unarmoured(block):
    # Headers end at an empty line; the last line, which begins with '=', is a checksum.
    body = re.split(rb"\r?\n[ \t]*\r?\n", b"\n" + block, maxsplit=1)[-1]
    lines = [line for line in body.split() if not line.startswith(b"=")]
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except binascii.Error as error:
        raise InfraError("the armour of the key is damaged", where="key", got=str(error)) from error


def _packets(data):
    at = 0
    while at < len(data):
        if not data[at] & 0x80:
            raise InfraError("this is no OpenPGP data", where="key", got=shown(data[:40]), expected="a key file, armoured or binary")
        tag, start, length = _header(data, at)
        if start + length > len(data):
            raise InfraError("the key is cut off", where="key", got=f"{len(data)} bytes", expected=f"{start + length} bytes")
        yield tag, data[start : start + length]
        at = start + length


def _header(data, at):
    first = data[at]
    try:
        if first & 0x40:
            tag, length = first & 0x3F, data[at + 1]
            if length < 192:
                return tag, at + 2, length
            if length < 224:
                return tag, at + 3, ((length - 192) << 8) + data[at + 2] + 192
            if length == 255:
                return tag, at + 6, int.from_bytes(data[at + 2 : at + 6], "big")
        else:
            tag, size = (first >> 2) & 0x0F, first & 3
            if size < 3:
                end = at + 1 + (1 << size)
                return tag, end, int.from_bytes(data[at + 1 : end], "big")
    except IndexError:
        pass
    raise InfraError("a packet of the key has no usable length", where="key")


def _fingerprint(body):
    if body[:1] == b"\x04":
        # No protection against forgery is asked of SHA-1 here beyond what version 4 keys have.
        digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False)
        return digest.hexdigest().upper()
    if body[:1] == b"\x06":
        return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()
    raise InfraError("this version of OpenPGP keys is not known", where="key", got=shown(body[:1]), expected="version 4 or 6")
