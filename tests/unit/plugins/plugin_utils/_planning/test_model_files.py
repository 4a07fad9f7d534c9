# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.model_files import model_paths


def test_a_path_stays_and_a_url_gets_one():
    got = model_paths(
        [{"path": "/m/a.gguf"}, {"path": None, "url": "https://x/y/b%20c.gguf?download=true", "sha256": "ab"}],
        "/srv",
    )
    assert got == [
        {"path": "/m/a.gguf", "url": None, "src": None, "sha256": None},
        {"path": "/srv/b c.gguf", "url": "https://x/y/b%20c.gguf?download=true", "src": None, "sha256": "ab"},
    ]


def test_a_file_to_copy_gets_a_path_too():
    got = model_paths([{"path": "/m/a.gguf", "sha256": "ab"}, {"url": "https://x/b.gguf"}], "/srv", copy=True)
    assert got == [
        {"path": "/srv/a.gguf", "url": None, "src": "/m/a.gguf", "sha256": "ab"},
        {"path": "/srv/b.gguf", "url": "https://x/b.gguf", "src": None, "sha256": None},
    ]


@pytest.mark.parametrize(
    "files, message",
    [
        ([], "the model has no files"),
        ("a.gguf", "files: not a list"),
        ([{}], "files[0]: neither a path nor a URL"),
        ([{"url": "https://x/"}], "the URL does not name a .gguf file"),
        ([{"url": "https://x/a.gguf"}, {"url": "https://y/a.gguf"}], "two files would have the same path"),
    ],
)
def test_what_can_not_be_placed_is_refused(files, message):
    with pytest.raises(InfraError) as error:
        model_paths(files, "/srv")
    assert message in str(error.value)
