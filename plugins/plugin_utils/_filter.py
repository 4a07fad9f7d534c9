# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every filter of this collection does around its core. Private: not an interface for other collections."""

from __future__ import annotations

from functools import wraps

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from ._plain import to_plain

try:
    from ansible.errors import AnsibleTemplatePluginError as FilterError
except ImportError:  # ansible-core before 2.19
    from ansible.errors import AnsibleFilterError as FilterError


def plain_filter(function):
    """C(function) as a filter: its arguments made plain, its InfraError turned into Ansible's error."""

    @wraps(function)
    def wrapper(value, *args, **kwargs):
        try:
            args = [to_plain(argument, "argument") for argument in args]
            kwargs = {name: to_plain(argument, name) for name, argument in kwargs.items()}
            return function(to_plain(value), *args, **kwargs)
        except InfraError as error:
            raise FilterError(str(error)) from error

    return wrapper
