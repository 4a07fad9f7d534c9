# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What keeps a server running, and therefore knows its log and its processes: a unit of systemd, a container, or nothing but a file.

Private: not an interface for other collections. Each has four methods: C(log()) gives a Text or None, C(earlier()) the bytes of what may stand
before it, C(gave_up()) a sentence when the server will not come and None when it may, C(processes()) the pids.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.alone import Alone
from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.container import Container
from ansible_collections.prositronic.infra.plugins.module_utils._server.keeper.unit import Unit


def keeper_of(given, find):
    """The keeper that the module's parameters C(given) name. C(find) gives the path of a program or None."""
    seconds = given["program_timeout"]
    if given["journal_unit"]:
        return Unit(given["journal_unit"], given["journal_scope"], find, seconds)
    if given["container"]:
        return Container(given["container"], given["container_engine"], find, seconds)
    return Alone(given["log_file"], given["pid"])
