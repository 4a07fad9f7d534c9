# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Comparing the versions of NVIDIA's packages. Private: not an interface for other collections."""

from __future__ import annotations

import re

from .._errors import InfraError, shown

_VERSION = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)*)(?:~?-?(rc|beta|alpha)\.?(\d+))?(?:-(\d+))?.*")


def order(version):
    """A key that sorts versions such as 1.20.0-1 and 1.20.0~rc.2-1. Raises InfraError for what is no version."""
    found = _VERSION.fullmatch(version)
    if not found:
        raise InfraError("this is no version", got=shown(version), expected="numbers with dots, as in 1.20.0")
    numbers, stage, candidate, release = found.groups()
    # Without a stage it is final, which is later than every candidate.
    return [int(part) for part in numbers.split(".")], stage or "~", int(candidate or 0), int(release or 0)


def numbers(version):
    """The first three numbers of a version as a tuple, for comparing with a known one."""
    found = [int(part) for part in re.findall(r"\d+", version)[:3]]
    return tuple(found + [0] * (3 - len(found)))
