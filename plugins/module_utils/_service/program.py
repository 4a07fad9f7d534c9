# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which build of llama.cpp a llama-server of the node is, by what it says itself."""

from __future__ import annotations

import os
import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

_VERSION = re.compile(r"^version: .*?(?:\bb?(\d{4,8})\b)", re.MULTILINE | re.ASCII)


def build_of(path, run):
    """The number, None where the program is not there or does not know its own. C(run): (argv, environment) -> (status, output, errors).

    Raises InfraError for a program that can't be run: a library is missing, as a rule.
    """
    if not os.path.exists(path):
        return None
    status, output, errors = run([path, "--version"], {"LD_LIBRARY_PATH": os.path.dirname(path)})
    if status != 0:
        said = (errors.strip() or output.strip()).splitlines()
        raise InfraError("the program can't be run", path, shown(said[-1] if said else f"exit status {status}"), fix="Install the libraries that it needs")
    found = _VERSION.search(output + "\n" + errors)
    return int(found[1]) if found else None
