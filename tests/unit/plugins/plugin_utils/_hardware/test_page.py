# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pathlib

from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.gpu_models import GPU_MODELS
from ansible_collections.prositronic.infra.plugins.plugin_utils._hardware.page import page

PAGE = pathlib.Path(__file__).parents[5] / "docs" / "gpus.md"


def test_docs_gpus_md_is_current():
    assert PAGE.read_text() == page(), f"write what page() gives to {PAGE}"


def test_every_gpu_is_on_it_once():
    text = page()
    for model in GPU_MODELS:
        assert text.count(f"| `{model.id}` |") == 1
