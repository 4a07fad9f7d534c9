#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a repository holds of some packages, with their checksums."""

from __future__ import annotations

DOCUMENTATION = r"""
module: package_index_info
short_description: What a repository holds of some packages, with their checksums
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Reads the signed list of an apt or RPM repository and tells address, size and SHA-256 checksum of packages in exactly one version. Downloads no package.
  - Each file that leads from the signed one to the packages is compared with its checksum. The signature itself is checked with C(gpgv)
    where that is installed, and RV(signature_checked) says whether it was.
  - Works on any machine that reaches the repository. It needs none of the package managers.
options:
  url:
    description: The folder with C(InRelease) of a flat apt repository, or with C(repodata) of an RPM repository.
    type: str
    required: true
  format:
    description: The kind of repository.
    type: str
    required: true
    choices: [deb, rpm]
  packages:
    description: The names of the packages.
    type: list
    elements: str
    required: true
  version:
    description: Their version, with the number of the build.
    type: str
    required: true
  key:
    description: The key of the repository itself, armoured.
    type: str
  key_url:
    description: Where to download the key from.
    type: str
  fingerprints:
    description: The fingerprints of all the keys in the key file.
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds to wait for each download.
    type: int
    default: 30
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Ask which files a node without internet needs
  prositronic.infra.package_index_info:
    url: https://nvidia.github.io/libnvidia-container/stable/deb/amd64
    format: deb
    packages: [nvidia-container-toolkit-base]
    version: 1.20.0-1
    key_url: https://nvidia.github.io/libnvidia-container/gpgkey
    fingerprints: [C95B 321B 61E8 8C18 09C4 F759 DDCA E044 F796 ECB0]
  register: index
"""

RETURN = r"""
packages:
  description: The packages.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: nvidia-container-toolkit-base
    version:
      description: The version.
      type: str
      sample: 1.20.0-1
    url:
      description: Where the package is.
      type: str
      sample: https://nvidia.github.io/libnvidia-container/stable/deb/amd64/nvidia-container-toolkit-base_1.20.0-1_amd64.deb
    size_bytes:
      description: Its size.
      type: int
      sample: 5242880
    sha256:
      description: Its checksum.
      type: str
      sample: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
key:
  description: The key of the repository, as C(url) (V(null) where the key itself was given), C(fingerprints) and C(sha256).
  returned: success
  type: dict
  sample: {url: "https://nvidia.github.io/libnvidia-container/gpgkey", fingerprints: [C95B321B61E88C1809C4F759DDCAE044F796ECB0], sha256: "..."}
signature_checked:
  description: Whether the signature of the list was checked, which needs C(gpgv).
  returned: success
  type: bool
  sample: true
"""

import hashlib
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit import index, web
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.openpgp import binary_key, checked_key, plain_fingerprint


def main():
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "format": {"type": "str", "required": True, "choices": ["deb", "rpm"]},
            "packages": {"type": "list", "elements": "str", "required": True},
            "version": {"type": "str", "required": True},
            "key": {"type": "str", "no_log": False},
            "key_url": {"type": "str", "no_log": False},
            "fingerprints": {"type": "list", "elements": "str", "required": True},
            "timeout": {"type": "int", "default": 30},
        },
        required_one_of=[("key", "key_url")],
        mutually_exclusive=[("key", "key_url")],
        supports_check_mode=True,
    )
    given = module.params
    base = given["url"].rstrip("/")
    try:
        fingerprints = [plain_fingerprint(fingerprint) for fingerprint in given["fingerprints"]]
        key = checked_key(web.key(_asker(module), given["key"], given["key_url"]), fingerprints)
        found, checked = (_deb if given["format"] == "deb" else _rpm)(module, base, key)
        found = index.complete(found, given["packages"], given["version"], base)
    except InfraError as error:
        module.fail_json(msg=str(error))
    packages = [dict(package, url=f"{base}/{package.pop('path')}") for package in found]
    told = {"url": given["key_url"], "fingerprints": fingerprints, "sha256": hashlib.sha256(key).hexdigest()}
    module.exit_json(changed=False, packages=packages, key=told, signature_checked=checked)


def _deb(module, base, key):
    release = _fetch(module, f"{base}/InRelease")
    checked = _signature(module, key, release)
    # What stands outside of the signed text counts for nothing.
    release = checked or release
    name = "Packages"
    listing = index.checked(_fetch(module, f"{base}/{name}"), index.release_checksum(release.decode("utf-8"), name), f"{base}/{name}")
    return index.apt_packages(index.unpacked(listing, name), module.params["packages"], module.params["version"]), checked is not None


def _rpm(module, base, key):
    repomd = _fetch(module, f"{base}/repodata/repomd.xml")
    checked = _signature(module, key, repomd, _fetch(module, f"{base}/repodata/repomd.xml.asc"))
    name, sha256 = index.primary_file(repomd)
    primary = index.checked(_fetch(module, f"{base}/{name}"), sha256, f"{base}/{name}")
    return index.rpm_packages(index.unpacked(primary, name), module.params["packages"], module.params["version"]), checked is not None


def _signature(module, key, data, detached=None):
    """The text that is signed, None where there is no gpgv to check it. Raises InfraError for a wrong signature."""
    gpgv = module.get_bin_path("gpgv")
    if not gpgv:
        return None
    keyring, signed = _file(module, binary_key(key)), _file(module, data)
    output = signed + ".text"
    what = ["--output", output, signed] if detached is None else [_file(module, detached), signed]
    rc, _out, err = module.run_command([gpgv, "--keyring", keyring, *what], errors="replace")
    if rc:
        raise InfraError("the list of packages is not signed by the key of the repository", where=module.params["url"], got=err.strip().splitlines()[-1])
    if detached is not None:
        return data
    with open(output, "rb") as file:
        return file.read()


def _file(module, content):
    path = os.path.join(module.tmpdir, hashlib.sha256(content).hexdigest())
    with open(path, "wb") as file:
        file.write(content)
    return path


def _fetch(module, url):
    return web.fetch(_asker(module), url)


def _asker(module):
    return lambda url: fetch_url(module, url, timeout=module.params["timeout"])


if __name__ == "__main__":
    main()
