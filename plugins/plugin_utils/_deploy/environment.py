# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Environment variables that a user gives the server, beside those of the plan."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .unit_text import check_printable

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)


def check_environment(given, planned, where):
    """C(given) as {name: text}. Raises InfraError for what arguments or the plan decide, and for secrets: everybody may read a unit."""
    found = {}
    for name, value in (given or {}).items():
        here = f"{where}.{name}"
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise InfraError("not the name of an environment variable", where, shown(name))
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise InfraError("not the value of an environment variable", here, shown(value), "a string in quotes")
        if name.startswith("LLAMA_ARG_"):
            raise InfraError("arguments of llama-server are not given as environment variables here", here, fix="Say them in extra_args")
        if SECRET.search(name):
            raise InfraError("a secret would stand in a file that others may read", here, fix="Give keys as a file with api_key_file")
        if name in planned:
            raise InfraError("the plan decides this variable", here, shown(value), planned[name], "Leave it out")
        found[name] = check_printable(str(value), here)
    return found
