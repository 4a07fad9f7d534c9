#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A repository of packages that is set up only when its key is the expected one and has signed it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_repository
short_description: Set a repository of packages up after its key and its signature were checked
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Takes a key file from an address or from the playbook, which must hold the keys with the given fingerprints and no others.
  - Then lets the package manager read the repository's list of packages, with nothing but this key and this repository in a directory of its own.
  - Only when the list is signed by the key are the files written where the package manager looks for them. Otherwise it fails, and nothing was changed.
  - The fingerprints are computed from the key itself; C(gpg) is not needed.
  - Where everything is as it should be already, nothing is downloaded.
  - For C(zypper) the key is also given to RPM, where zypper looks for it. No other key of the repository is accepted.
options:
  manager:
    description: The package manager.
    type: str
    required: true
    choices: [apt, dnf, yum, zypper]
  path:
    description: The file of the repository. Its name without the ending is the name of the repository in it.
    type: path
    required: true
  content:
    description: What is written to the file of the repository. It names O(key_path).
    type: str
  key_path:
    description: The file for the key.
    type: path
    required: true
  key:
    description: The key itself, armoured.
    type: str
  key_url:
    description: Where to download the key from.
    type: str
  fingerprints:
    description: The fingerprints of all the keys in the file, 40 or 64 hexadecimal digits each; spaces don't matter.
    type: list
    elements: str
    required: true
  state:
    description: V(absent) removes both files, and for C(zypper) the key from RPM.
    type: str
    choices: [present, absent]
    default: present
  timeout:
    description: Seconds to wait for the download of the key.
    type: int
    default: 30
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: The key and the signature are checked in check mode too.
  diff_mode:
    support: full
  platform:
    platforms: posix
notes:
  - The package manager's own list of packages is not read anew; M(prositronic.infra.pinned_packages) does that before it installs something.
seealso:
  - module: prositronic.infra.pinned_packages
"""

EXAMPLES = r"""
- name: Remove a repository and its key
  prositronic.infra.package_repository:
    manager: apt
    path: /tmp/prositronic-infra-example/example.sources
    key_path: /tmp/prositronic-infra-example/example.asc
    fingerprints: [94D4 91CB EA05 6407 45D3 EE9C EDD9 0134 A5D0 5665]
    state: absent
"""

RETURN = r"""
fingerprints:
  description: The fingerprints of the keys.
  returned: success
  type: list
  elements: str
  sample: [C95B321B61E88C1809C4F759DDCAE044F796ECB0]
"""

import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit import packages, web
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.openpgp import checked_key, fingerprints, plain_fingerprint, spaced


def main():
    module = AnsibleModule(
        argument_spec={
            "manager": {"type": "str", "required": True, "choices": ["apt", "dnf", "yum", "zypper"]},
            "path": {"type": "path", "required": True},
            "content": {"type": "str"},
            "key_path": {"type": "path", "required": True, "no_log": False},
            "key": {"type": "str", "no_log": False},
            "key_url": {"type": "str", "no_log": False},
            "fingerprints": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "timeout": {"type": "int", "default": 30},
        },
        required_if=[("state", "present", ("content",)), ("state", "present", ("key", "key_url"), True)],
        mutually_exclusive=[("key", "key_url")],
        supports_check_mode=True,
    )
    try:
        (_absent if module.params["state"] == "absent" else _present)(module, module.params)
    except InfraError as error:
        module.fail_json(msg=str(error))


def _present(module, given):
    wanted = sorted(plain_fingerprint(fingerprint) for fingerprint in given["fingerprints"])
    before, keys, known = _text(given["path"]), _keys(given["key_path"]), _known_to_rpm(module, given)
    untold = given["manager"] == "zypper" and any(fingerprint not in known for fingerprint in wanted)
    changed = before != given["content"] or keys != wanted or untold
    if changed:
        key = checked_key(_key(module, given, keys == wanted), wanted)
        _try(module, given, key)
        if not module.check_mode:
            _write(module, given["key_path"], key)
            if untold:
                _must(module, ["rpm", "--import", given["key_path"]])
            _write(module, given["path"], given["content"].encode())
    _done(module, changed, (before, keys), (given["content"], wanted), wanted)


def _absent(module, given):
    wanted = sorted(plain_fingerprint(fingerprint) for fingerprint in given["fingerprints"])
    before, keys, known = _text(given["path"]), _keys(given["key_path"]), _known_to_rpm(module, given)
    there = [path for path in (given["path"], given["key_path"]) if os.path.lexists(path)]
    told = [known[fingerprint] for fingerprint in wanted if fingerprint in known]
    if not module.check_mode:
        for path in there:
            os.unlink(path)
        if told:
            _must(module, ["rpm", "--erase", *told])
    _done(module, bool(there or told), (before, keys), (None, None), wanted)


def _try(module, given, key):
    """Let the package manager read this repository and no other, from files that nobody else uses. Raises InfraError when it can't."""
    # Its parent is for root alone where modules keep their files, and apt reads keys and lists as a user of its own.
    directory = tempfile.mkdtemp(prefix="prositronic-infra-")
    try:
        os.chmod(directory, 0o755)
        key_path = os.path.join(directory, os.path.basename(given["key_path"]))
        _write(module, key_path, key)
        content = given["content"].replace(given["key_path"], key_path)
        path, commands = packages.trial(given["manager"], directory, os.path.basename(given["path"]), key_path)
        _write(module, path, content.encode())
        for command in commands:
            rc, out, err = _run(module, command)
            if rc:
                # The reason comes last.
                said = "; ".join(line.strip() for line in f"{out}\n{err}".splitlines() if line.strip())
                raise InfraError(
                    "the repository can't be read with its key, and nothing was changed", where=given["path"], got=said[-400:],
                    fix="Either it can't be reached, or its list of packages is not signed by this key",
                )  # fmt: skip
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _key(module, given, there):
    if there:
        with open(given["key_path"], "rb") as file:
            return file.read()
    return web.key(lambda url: fetch_url(module, url, timeout=given["timeout"]), given["key"], given["key_url"])


def _keys(path):
    """The fingerprints in the file, None where there is none or it can't be read as a key."""
    try:
        with open(path, "rb") as file:
            return sorted(fingerprints(file.read()))
    except (OSError, InfraError):
        return None


def _known_to_rpm(module, given):
    """{fingerprint: name of the package that stands for the key} of the keys that RPM, and so zypper, trusts."""
    if given["manager"] != "zypper":
        return {}
    return packages.rpm_keys(_run(module, packages.RPM_KEYS)[1])


def _text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def _write(module, path, data):
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".new-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    # apt reads keys as a user of its own.
    os.chmod(temporary, 0o644)
    module.atomic_move(temporary, path)


def _run(module, command):
    return module.run_command(command, environ_update={"LC_ALL": "C", "LANGUAGE": "C"}, errors="replace")


def _must(module, command):
    rc, out, err = _run(module, command)
    if rc:
        raise InfraError(f"'{' '.join(command[:2])}' failed", where=command[0], got=err.strip() or out.strip())


def _done(module, changed, before, after, keys):
    path, key_path = module.params["path"], module.params["key_path"]
    diff = [
        {"before": before[0] or "", "after": after[0] or "", "before_header": path, "after_header": path},
        {"before": _lines(before[1]), "after": _lines(after[1]), "before_header": key_path, "after_header": key_path},
    ]
    module.exit_json(changed=changed, fingerprints=keys, diff=[one for one in diff if one["before"] != one["after"]] if changed else [])


def _lines(found):
    return "".join(spaced(fingerprint) + "\n" for fingerprint in found or [])


if __name__ == "__main__":
    main()
