# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest


@pytest.fixture
def web(monkeypatch):
    """A web server on this machine, which no proxy may come between."""
    # Not at the top: the collection can't be imported yet when pytest reads this file.
    from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving

    monkeypatch.setenv("no_proxy", "*")
    with serving() as running:
        yield running


@pytest.fixture
def place(tmp_path, web):
    from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._download.place import Place

    return Place(tmp_path / "models", web)
