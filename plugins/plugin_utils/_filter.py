# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every filter of this collection does around its core. Private: not an interface for other collections."""

from __future__ import annotations

from functools import wraps
from inspect import Parameter, signature

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

from ._plain import to_plain

try:
    from ansible.errors import AnsibleTemplatePluginError as FilterError
except ImportError:  # ansible-core before 2.19
    from ansible.errors import AnsibleFilterError as FilterError


def plain_filter(function):
    """C(function) as a filter: its arguments made plain, its InfraError turned into Ansible's error."""
    accepted = signature(function)

    @wraps(function)
    def wrapper(*args, **kwargs):
        try:
            bound = _bound(accepted, args, kwargs)
            for name, argument in bound.arguments.items():
                options = accepted.parameters[name].kind is Parameter.VAR_KEYWORD
                bound.arguments[name] = {key: to_plain(item, key) for key, item in argument.items()} if options else to_plain(argument, name)
            return function(*bound.args, **bound.kwargs)
        except InfraError as error:
            raise FilterError(str(error)) from error

    return wrapper


def _bound(accepted, args, kwargs):
    try:
        return accepted.bind(*args, **kwargs)
    except TypeError as error:
        raise InfraError(str(error), expected=f"the arguments {accepted}") from None
