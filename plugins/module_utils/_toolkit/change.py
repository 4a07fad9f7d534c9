# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to be done to have exactly these packages. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import InfraError
from .versions import order


@dataclass(frozen=True)
class Change:
    """Names to install, to bring to a newer and to an older version."""

    install: tuple
    upgrade: tuple
    downgrade: tuple

    def __bool__(self):
        return bool(self.install or self.upgrade or self.downgrade)


def change(wanted, installed):
    """The Change from C(installed) to C(wanted), both {name: version}."""
    missing = tuple(name for name in wanted if name not in installed)
    other = [name for name, version in wanted.items() if name in installed and installed[name] != version]
    newer = tuple(name for name in other if order(wanted[name]) > order(installed[name]))
    return Change(missing, newer, tuple(name for name in other if name not in newer))


def allowed(change, wanted, installed, upgrade, downgrade):
    """Raises InfraError for a change of version that is not allowed."""
    for names, may, kind in ((change.upgrade, upgrade, "upgrade"), (change.downgrade, downgrade, "downgrade")):
        if names and not may:
            raise InfraError(
                f"this would {kind} packages", where="packages", got=_listed(names, installed), expected=_listed(names, wanted),
                fix=f"Allow it with allow_{kind}, or ask for the version that is installed",
            )  # fmt: skip


def _listed(names, versions):
    return ", ".join(f"{name} {versions[name]}" for name in names)
