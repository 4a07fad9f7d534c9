# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Downloads of modules that deal with repositories. Private: not an interface for other collections.

C(ask) is Ansible's fetch_url with everything but the address: it gives a response and information about it.
"""

from __future__ import annotations

from .._errors import InfraError

_LARGEST_KEY_BYTES = 1 << 20


def key(ask, text, url):
    """The key file: the C(text) itself, or what is at C(url)."""
    return text.encode() if text else fetch(ask, url, _LARGEST_KEY_BYTES, "Give the key itself where there is no way to this address")


def fetch(ask, url, largest_bytes=None, fix=None):
    """What is at an address. Raises InfraError when it can't be had."""
    response, info = ask(url)
    if info["status"] not in (200, None) or response is None:
        raise InfraError("this can't be downloaded", where=url, got=info["msg"], fix=fix)
    return response.read(largest_bytes)
