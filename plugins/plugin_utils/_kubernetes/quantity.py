# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Quantities as Kubernetes writes them (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""

from __future__ import annotations

import re
from fractions import Fraction

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

_QUANTITY = re.compile(r"(\d{1,20}(?:\.\d{0,20})?)(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d{1,2}))?", re.ASCII)
_FACTORS = {
    **{unit: Fraction(1000) ** power for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)},
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}
MOST = 2**63 - 1


def quantity(value, where):
    """C(value), a number or text such as 65841916Ki or 1.5Gi, as a whole number, rounded down."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InfraError("not a quantity", where, shown(value), "one as Kubernetes writes them, such as 65841916Ki")
    number, unit, exponent = match.groups()
    size = Fraction(number) * (_FACTORS[unit or ""] if exponent is None else Fraction(10) ** int(exponent))
    if size > MOST:
        raise InfraError("too large a quantity", where, shown(value), f"at most {MOST}")
    return int(size)
