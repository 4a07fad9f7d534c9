# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a server listens, and how it is reached from its own machine."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """C(ip) in its shortest form."""

    ip: str
    port: int

    @property
    def loopback(self):
        """Whether other machines can't reach it."""
        return ipaddress.ip_address(self.ip).is_loopback

    @property
    def bracketed(self):
        return f"[{self.ip}]" if ":" in self.ip else self.ip

    @property
    def published(self):
        """As Podman publishes a port."""
        return f"{self.bracketed}:{self.port}"

    def local_url(self, scheme):
        """How the machine itself reaches it: 0.0.0.0 and :: are no destinations."""
        ip = ipaddress.ip_address(self.ip)
        if ip.is_unspecified:
            return f"{scheme}://{LOCALHOST if ip.version == 4 else '[::1]'}:{self.port}"
        return f"{scheme}://{self.bracketed}:{self.port}"


def address(host, port, where):
    """The Address for an option. Raises InfraError for what is neither an IP address nor localhost."""
    text = LOCALHOST if host in (None, "localhost") else host
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        ip = None
    if ip is None or getattr(ip, "scope_id", None):
        raise InfraError("not an address to listen on", where, shown(host), "one IP address such as 127.0.0.1, 0.0.0.0 or ::1, or localhost")
    return Address(str(ip), port)
