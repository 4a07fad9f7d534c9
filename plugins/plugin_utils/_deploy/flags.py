# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a build of llama.cpp knows what a server is told."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from .._backend.security import minimum_build
from .flag_table import KNOWN_BUILD, NEWER, READ_BUILD, REMOVED, SINCE, SWITCHES, WITH_TWO_VALUES, WITH_VALUE

NAMES = SWITCHES | WITH_VALUE | WITH_TWO_VALUES
NUMBER = re.compile(r"-\d")
"""A value, not a name: --reasoning-budget -1."""

NOT_HERE = {
    "--api-key": "Arguments can be read by every user of the machine; give the keys as a file with api_key_file",
    "--hf-token": "Arguments can be read by every user of the machine, and a planned model is downloaded before the server starts",
    "-hft": "Arguments can be read by every user of the machine, and a planned model is downloaded before the server starts",
    "--api-key-file": "Say api_key_file",
    "--ssl-key-file": "Say tls_key_file and tls_cert_file",
    "--ssl-cert-file": "Say tls_key_file and tls_cert_file",
    "--log-verbosity": "Say log_verbosity",
    "--verbosity": "Say log_verbosity",
    "-lv": "Say log_verbosity",
    "--verbose": "Say log_verbosity; at 5 the log holds what clients ask",
    "-v": "Say log_verbosity; at 5 the log holds what clients ask",
    "--host": "Say host",
    "--port": "Say port",
    "--reuse-port": "Two servers on one port would share its requests; give each its own port",
    "--model": "Say model",
    "-m": "Say model",
    "--alias": "Say alias",
    "-a": "Say alias",
    "--metrics": "Say metrics",
    "--ui": "Say ui",
    "--no-ui": "Say ui",
    "--webui": "Say ui",
    "--no-webui": "Say ui",
    "--api-prefix": "The health check and the examples ask for paths without a prefix; let the reverse proxy add it",
}
"""What an option of its own decides, or what nobody should say here."""

TOOLS = frozenset(("--tools", "--tools-runtime", "--agent", "-ag", "--ui-mcp-proxy", "--webui-mcp-proxy", "--mcp-servers-config", "--mcp-servers-json"))
"""What lets a client run programs on the host; llama-server's own help says not to use them where not everybody is trusted."""


def since(name):
    """The oldest build that is known to have it; it may have come earlier."""
    if name in SINCE:
        return SINCE[name][0]
    return READ_BUILD if name in NEWER else KNOWN_BUILD


def names_in(args, where):
    """The names among C(args), without their values. Raises InfraError for one that no build has, and for a missing value."""
    found, rest = [], iter(enumerate(args))
    for index, given in rest:
        here = f"{where}[{index}]"
        name, equals, _value = given.partition("=")
        if not given.startswith("-") or NUMBER.match(given):
            raise InfraError("not the name of an argument", here, shown(given), "a name such as --threads, and its value as the next item")
        if name in REMOVED:
            raise InfraError(f"llama-server has {name} no more", here, fix=f"Say {REMOVED[name]}")
        if name not in NAMES:
            raise InfraError("not an argument of llama-server", here, shown(given), fix=_near(name))
        if equals:
            raise InfraError("a name and its value in one", here, shown(given), "two items: llama-server reads no '='")
        for _number in range(1 if name in WITH_VALUE else 2 if name in WITH_TWO_VALUES else 0):
            if next(rest, None) is None:
                raise InfraError(f"{name} has no value", here, shown(given), "its value as the next item")
        found.append(name)
    return found


def check_args(args, build, where):
    """Raises InfraError for the first argument that C(build) is not known to have; None stands for a build that is not known."""
    for name in names_in(args, where):
        if build is not None and build < since(name):
            source = SINCE[name][1] if name in SINCE else "https://github.com/ggml-org/llama.cpp/blob/0c1e57098/tools/server/README.md"
            known = [other for other in sorted(NAMES) if since(other) <= build]
            raise InfraError(
                f"llama-server b{build} is not known to have {name}, b{since(name)} is ({source})", where, fix=_near(name, known) or "Use a newer build"
            )


def check_extra(args, planned, allow_tools, where):
    """Raises InfraError for what options or the plan decide, and for what lets clients run programs unless C(allow_tools)."""
    decided = set(names_in(planned, where))
    for name in names_in(args, where):
        if name in NOT_HERE:
            raise InfraError(f"{name} is not given here", where, fix=NOT_HERE[name])
        if name in decided:
            raise InfraError(f"the plan decides {name}", where, fix="Ask it of the filter llama_plan")
        if name in TOOLS and not allow_tools:
            raise InfraError(f"{name} lets clients run programs on the host", where, fix="If all clients are trusted, say allow_tools=true")


def check_all(planned, extra, build, allow_tools, where):
    """What to warn of in the arguments of a plan and those that a user gives beside them, for an option C(extra_args) of C(where).

    Raises InfraError for what C(build) does not know, for what is not to be given, and for a build with a hole that these arguments open.
    """
    check_extra(extra, planned, allow_tools, f"{where}.extra_args")
    check_args(planned, build, f"{where}.build")
    check_args(extra, build, f"{where}.extra_args")
    least, holes = minimum_build([*planned, *extra])
    if build is not None and build < least:
        hole = holes[0]
        raise InfraError(f"llama-server b{build} has a hole: {hole.name}, {hole.what} ({hole.source})", where, expected=f"b{least} or newer")
    warnings = []
    if build is not None and build > READ_BUILD:
        warnings.append(f"b{build} is newer than b{READ_BUILD}, whose list of arguments is known here; llama.cpp does remove some.")
    if allow_tools:
        warnings.append("Clients of this server may be able to run programs in it (allow_tools).")
    return warnings


def _near(name, known=NAMES):
    near = nearest(name, [other for other in known if other != name])
    return near if near and near.startswith("Did") else None
