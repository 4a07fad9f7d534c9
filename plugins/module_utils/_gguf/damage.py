# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama.cpp refuses in a header too."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError


def damaged(label, what, got=None, expected=None):
    """The error for C(what) is wrong in the header of C(label)."""
    return InfraError(what, where=label, got=got, expected=expected, fix="The file is damaged or not a model that llama.cpp loads.")
