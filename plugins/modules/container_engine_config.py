#!/usr/bin/python
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single settings in the file of a container engine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: container_engine_config
short_description: Change single settings in the file of a container engine
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Sets or removes settings in a JSON file such as Docker's C(daemon.json) or a TOML file such as containerd's C(config.toml).
  - Every other key stays as it is. In JSON the order of the keys and the indentation are kept, in TOML every other line with its comments.
  - A setting that has another value already is an error that names it, unless O(overwrite) allows to change it.
  - The new file is checked with the engine's own command before it takes the place of the old one, of which a copy is kept.
  - A file that can't be understood is not touched.
options:
  path:
    description: The file. One that is not there is made, together with its directory.
    type: path
    required: true
  format:
    description: The format of the file.
    type: str
    required: true
    choices: [json, toml]
  settings:
    description: The settings.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: The keys from the top of the file to the setting.
        type: list
        elements: str
        required: true
      value:
        description: The value. For TOML a boolean, a whole number, a string or a list of them.
        type: raw
        required: true
  state:
    description: V(absent) removes the settings that have exactly this value, and leaves others alone.
    type: str
    choices: [present, absent]
    default: present
  overwrite:
    description: Whether a setting that has another value is changed.
    type: bool
    default: false
  validate:
    description: The command that checks a file, as a list. C(%s) stands for the path of the new file.
    type: list
    elements: str
    default: []
  backup:
    description: Whether a copy of the old file is kept beside it.
    type: bool
    default: true
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: The new file is checked in check mode too.
  diff_mode:
    support: full
  platform:
    platforms: posix
notes:
  - The engine has to be restarted by another task.
"""

EXAMPLES = r"""
- name: Switch CDI on in Docker and keep everything else in the file
  prositronic.infra.container_engine_config:
    path: /tmp/prositronic-infra-example/daemon.json
    format: json
    settings:
      - path: [features, cdi]
        value: true
  register: docker_config

- name: Do the same in containerd 1.7
  prositronic.infra.container_engine_config:
    path: /tmp/prositronic-infra-example/config.toml
    format: toml
    settings:
      - path: [version]
        value: 2
      - path: [plugins, io.containerd.grpc.v1.cri, enable_cdi]
        value: true
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /etc/docker/daemon.json
differs:
  description: Whether the file did not have the settings.
  returned: success
  type: bool
  sample: true
created:
  description: Whether there was no such file before.
  returned: success
  type: bool
  sample: false
backup_file:
  description: The copy of the old file, V(null) where none was made.
  returned: success
  type: str
  sample: /etc/docker/daemon.json.4242.2026-11-25@12:00:00~
"""

import contextlib
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.prositronic.infra.plugins.module_utils._engine.json_text import set_json, unset_json
from ansible_collections.prositronic.infra.plugins.module_utils._engine.settings import setting_from
from ansible_collections.prositronic.infra.plugins.module_utils._engine.toml_text import set_toml, unset_toml
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

_SET = {"json": set_json, "toml": set_toml}
_UNSET = {"json": unset_json, "toml": unset_toml}


def main():
    setting = {"path": {"type": "list", "elements": "str", "required": True, "no_log": False}, "value": {"type": "raw", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "format": {"type": "str", "required": True, "choices": ["json", "toml"]},
            "settings": {"type": "list", "elements": "dict", "required": True, "options": setting},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "overwrite": {"type": "bool", "default": False},
            "validate": {"type": "list", "elements": "str", "default": []},
            "backup": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    # A link, as Docker's file may be, stays a link: what it leads to is changed.
    path = os.path.realpath(given["path"])
    try:
        before = _read(path)
        after = _after(given, before or "")
    except InfraError as error:
        module.fail_json(msg=f"{given['path']}: {error}")
    changed = after != (before or "")
    backup = None
    if changed:
        temporary = _temporary(path, after, module.check_mode)
        try:
            _validate(module, given, temporary)
            if not module.check_mode:
                backup = module.backup_local(path) if given["backup"] and before is not None else None
                module.atomic_move(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    diff = {"before": before or "", "after": after, "before_header": path, "after_header": path}
    result = {"path": path, "differs": changed, "created": changed and before is None, "backup_file": backup or None}
    module.exit_json(changed=changed, diff=diff if changed else {}, **result)


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InfraError("the file can't be read", got=str(error)) from error


def _after(given, before):
    settings = [setting_from(setting, f"settings[{index}]") for index, setting in enumerate(given["settings"])]
    if given["state"] == "absent":
        return _UNSET[given["format"]](before, settings) if before else before
    return _SET[given["format"]](before, settings, given["overwrite"])


def _temporary(path, text, elsewhere):
    """The new text in a file beside the old one, with its rights; in check mode in the directory for temporary files."""
    directory = os.path.dirname(path)
    if not elsewhere:
        os.makedirs(directory, mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=None if elsewhere else directory, prefix=".new-", suffix=os.path.splitext(path)[1])
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(temporary, os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644)
    return temporary


def _validate(module, given, temporary):
    if not given["validate"]:
        return
    rc, out, err = module.run_command([part.replace("%s", temporary) for part in given["validate"]], errors="replace")
    if rc:
        said = (err.strip() or out.strip()).replace(temporary, given["path"]).splitlines()[-3:]
        module.fail_json(msg=f"{given['path']}: the engine does not accept the file with the new settings, and it was not changed: {'; '.join(said)}")


if __name__ == "__main__":
    main()
