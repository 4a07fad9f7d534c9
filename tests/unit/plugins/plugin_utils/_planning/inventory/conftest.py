# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans of a small inventory, made once for all tests here."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def models():
    from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.inventory import few_nodes

    return few_nodes.models()


@pytest.fixture(scope="session")
def others():
    """By node the plans of all models."""
    from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.inventory import few_nodes

    return few_nodes.plans_by_node()
