#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packages that belong together, at exact versions, in one transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pinned_packages
short_description: Install packages that belong together at exact versions
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Installs a set of packages in exactly the given versions, all in one transaction, and removes none. So they can need one another in exactly
    the same version.
  - Refuses to change the version of a package that is installed unless that is allowed.
  - Works with C(apt), C(dnf), C(yum) and C(zypper) by their commands, and needs none of their Python bindings on the node.
  - In check mode it knows from the packages that are installed what would change, so that it also works before their repository is there.
options:
  manager:
    description: The package manager.
    type: str
    required: true
    choices: [apt, dnf, yum, zypper]
  packages:
    description: Names and exact versions, for apt as C(dpkg-query) shows them, else version and release. With O(state=absent) the versions don't matter.
    type: dict
    required: true
  files:
    description: Package files on the node to install them from, instead of repositories.
    type: list
    elements: path
    default: []
  repository:
    description: The file of the repository they come from, to read its list of packages anew before anything is installed.
    type: path
  state:
    description: V(absent) removes the packages with their settings, and fails where other packages need them.
    type: str
    choices: [present, absent]
    default: present
  allow_upgrade:
    description: Whether an installed package may be replaced by a newer one.
    type: bool
    default: false
  allow_downgrade:
    description: Whether an installed package may be replaced by an older one.
    type: bool
    default: false
  hold:
    description:
      - Whether the packages are held at their version. Not given, holds are left as they are.
      - For apt and zypper; dnf and yum have no holds of their own.
    type: bool
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
seealso:
  - module: ansible.builtin.package
"""

EXAMPLES = r"""
- name: Say what it would take to have these two at one version
  prositronic.infra.pinned_packages:
    manager: apt
    packages:
      nvidia-container-toolkit-base: 1.20.0-1
      nvidia-container-toolkit: 1.20.0-1
  check_mode: true
"""

RETURN = r"""
before:
  description: The versions that were installed, by name.
  returned: success
  type: dict
  sample: {nvidia-container-toolkit-base: 1.19.1-1}
after:
  description: The versions that are installed now, or would be.
  returned: success
  type: dict
  sample: {nvidia-container-toolkit-base: 1.20.0-1}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit import packages
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.change import allowed, change


def main():
    module = AnsibleModule(
        argument_spec={
            "manager": {"type": "str", "required": True, "choices": ["apt", "dnf", "yum", "zypper"]},
            "packages": {"type": "dict", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
            "repository": {"type": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "allow_upgrade": {"type": "bool", "default": False},
            "allow_downgrade": {"type": "bool", "default": False},
            "hold": {"type": "bool"},
        },
        supports_check_mode=True,
    )
    try:
        (_remove if module.params["state"] == "absent" else _install)(module, module.params)
    except InfraError as error:
        module.fail_json(msg=str(error))


def _install(module, given):
    wanted = given["packages"]
    before, held = _installed(module)
    to_hold = _to_hold(given, held)
    needed = change(wanted, before)
    allowed(needed, wanted, before, given["allow_upgrade"], given["allow_downgrade"])
    if needed and not module.check_mode:
        _refresh(module, given["repository"])
        if given["manager"] == "zypper":
            # It does not change what is locked, whatever it is asked.
            _hold(module, held, [])
        try:
            _change(module, given, bool(needed.downgrade))
        except InfraError:
            _hold(module, _installed(module)[1], held)
            raise
        after, now_held = _installed(module)
        left = {name: after.get(name) for name, version in wanted.items() if after.get(name) != version}
        if left:
            raise InfraError("the package manager says it is done, but these versions are not installed", got=str(left), expected=str(wanted))
        # A package manager may let a hold go when it changes the package.
        _hold(module, now_held, to_hold)
    elif not module.check_mode:
        _hold(module, held, to_hold)
    _done(module, bool(needed) or sorted(held) != sorted(to_hold), before, {**before, **wanted})


def _to_hold(given, held):
    if given["hold"] is None or not packages.holds(given["manager"]):
        return held
    return list(given["packages"]) if given["hold"] else []


def _change(module, given, downgrade):
    command = packages.install(given["manager"], given["packages"], given["files"], downgrade)
    rc, out, err = _run(module, command)
    if rc:
        # What they need may come from repositories whose lists were never read on this node.
        _refresh(module, None)
        rc, out, err = _run(module, command)
    if rc:
        raise _failed(command, out, err)


def _remove(module, given):
    before, held = _installed(module)
    if before and not module.check_mode:
        _hold(module, held, [])
        _must(module, packages.remove(given["manager"], list(before)))
    _done(module, bool(before), before, {})


def _hold(module, held, to_hold):
    """Let go what is held and should not be, and hold what is not and should be."""
    for name in sorted({*held} ^ {*to_hold}):
        _must(module, packages.hold(module.params["manager"], name, name in to_hold))


def _installed(module):
    """({name: version}, [names that are held]) of the packages asked for."""
    manager, names = module.params["manager"], list(module.params["packages"])
    versions, held = packages.installed(manager, _run(module, packages.query(manager, names))[1])
    if manager == "zypper":
        locks = packages.zypper_locks(_run(module, packages.ZYPPER_LOCKS)[1])
        held = [name for name in names if name in locks]
    return versions, held


def _refresh(module, repository):
    """Read the lists of packages. A failure counts only for the repository that was asked for: others may be broken for years."""
    if repository is None and module.params["files"] and module.params["manager"] != "apt":
        return
    command = packages.refresh(module.params["manager"], repository)
    rc, out, err = _run(module, command)
    if rc and repository is not None:
        raise _failed(command, out, err)


def _run(module, command):
    environment = {"LC_ALL": "C", "LANGUAGE": "C", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    return module.run_command(command, environ_update=environment, errors="replace")


def _must(module, command):
    rc, out, err = _run(module, command)
    if rc:
        raise _failed(command, out, err)


def _failed(command, out, err):
    said = [line.strip() for line in (err.strip() or out.strip()).splitlines() if line.strip()]
    return InfraError(f"'{' '.join(command[:2])}' failed", where=command[0], got="; ".join(said[-12:]))


def _done(module, changed, before, after):
    diff = {"before": _text(before), "after": _text(after)}
    module.exit_json(changed=changed, before=before, after=after, diff=diff if changed else {})


def _text(versions):
    return "".join(f"{name} {version}\n" for name, version in sorted(versions.items()))


if __name__ == "__main__":
    main()
