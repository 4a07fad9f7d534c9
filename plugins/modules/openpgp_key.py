#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A key file that is trusted only when its fingerprint is the expected one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openpgp_key
short_description: Write a signing key whose fingerprint is known
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Takes a key file from an address or from the playbook and writes it where a package manager reads it, when it holds the keys with
    the given fingerprints and no others. Otherwise it fails and writes nothing.
  - The fingerprints are computed from the key itself; C(gpg) is not needed.
  - A file that already holds exactly these keys is left as it is and nothing is downloaded.
options:
  path:
    description: The file to write.
    type: path
    required: true
  fingerprints:
    description: The fingerprints of all the keys in the file, 40 or 64 hexadecimal digits each; spaces don't matter.
    type: list
    elements: str
    required: true
  content:
    description: The key itself, armoured.
    type: str
  url:
    description: Where to download the key from.
    type: str
  timeout:
    description: Seconds to wait for the download.
    type: int
    default: 30
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: The key is downloaded and checked in check mode too.
  diff_mode:
    support: full
    details: Shows the fingerprints.
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Trust a key that came with the playbook
  prositronic.infra.openpgp_key:
    path: /tmp/prositronic-infra-example.asc
    content: |
      -----BEGIN PGP PUBLIC KEY BLOCK-----

      mDMEawdfkhYJKwYBBAHaRw8BAQdA8AfM+NvprvbFbxVsX7BhpNpRdeuT9UHT6Zr/
      2/6TPOO0G05vYm9keSA8bm9ib2R5QGV4YW1wbGUuY29tPoiQBBMWCAA4FiEElNSR
      y+oFZAdF0+6c7dkBNKXQVmUFAmsHX5ICGwMFCwkIBwIGFQoJCAsCBBYCAwECHgEC
      F4AACgkQ7dkBNKXQVmXeswEAvTMGY8HvnyAib4EjU8JtoLGwUrklKMKAOdjawMZe
      6nQBAP2ybmTlO19bbCgGlnwaaXAZ7WU96DkPLV+rGMZkEz4L
      =v5f2
      -----END PGP PUBLIC KEY BLOCK-----
    fingerprints: [94D4 91CB EA05 6407 45D3 EE9C EDD9 0134 A5D0 5665]
"""

RETURN = r"""
fingerprints:
  description: The fingerprints of the keys in the file.
  returned: success
  type: list
  elements: str
  sample: [C95B321B61E88C1809C4F759DDCAE044F796ECB0]
"""

import contextlib
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.openpgp import checked_key, fingerprints, plain_fingerprint, spaced

_LARGEST_KEY_BYTES = 1 << 20


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "fingerprints": {"type": "list", "elements": "str", "required": True},
            "content": {"type": "str", "no_log": False},
            "url": {"type": "str"},
            "timeout": {"type": "int", "default": 30},
        },
        required_one_of=[("content", "url")],
        mutually_exclusive=[("content", "url")],
        supports_check_mode=True,
    )
    given = module.params
    try:
        wanted = sorted(plain_fingerprint(fingerprint) for fingerprint in given["fingerprints"])
        before = _present(given["path"])
        changed = before != wanted
        if changed:
            data = given["content"].encode() if given["content"] else _download(module, given["url"], given["timeout"])
            data = checked_key(data, wanted)
            if not module.check_mode:
                _write(module, given["path"], data)
    except InfraError as error:
        module.fail_json(msg=str(error))
    diff = {"before": _lines(before or []), "after": _lines(wanted), "before_header": given["path"], "after_header": given["path"]}
    module.exit_json(changed=changed, fingerprints=wanted, diff=diff if changed else {})


def _present(path):
    """The fingerprints in the file, None where there is none or it can't be read as a key."""
    try:
        with open(path, "rb") as file:
            return sorted(fingerprints(file.read()))
    except (OSError, InfraError):
        return None


def _download(module, url, timeout):
    response, info = fetch_url(module, url, timeout=timeout)
    if info["status"] not in (200, None) or response is None:
        raise InfraError("the key can't be downloaded", where=url, got=info["msg"], fix="Give the key itself where there is no way to this address")
    return response.read(_LARGEST_KEY_BYTES)


def _write(module, path, data):
    directory = os.path.dirname(path)
    with contextlib.suppress(FileExistsError):
        os.makedirs(directory, mode=0o755)
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".key-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    # apt reads keys as a user of its own.
    os.chmod(temporary, 0o644)
    module.atomic_move(temporary, path)


def _lines(found):
    return "".join(spaced(fingerprint) + "\n" for fingerprint in found)


if __name__ == "__main__":
    main()
