# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.inventory.names import name_of, names


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/models/Llama-3.1-8B-Q4_K_M.gguf", "Llama-3.1-8B-Q4_K_M"),
        ("models/big-00001-of-00009.gguf", "big"),
        ("https://somebody:secret@example.com/m/model.gguf?token=secret", "model"),
        ("hf:org/repo:Q4_K_M", "repo:Q4_K_M"),
        ("hf:org/repo:Q4_K_M@8ae3f12", "repo:Q4_K_M@8ae3f12"),
        ("hf:org/repo", "repo"),
        ("https://example.com/", "example.com"),
        (".gguf", "model"),
    ],
)
def test_a_name_is_made_from_the_source(source, name):
    assert names(source) == {name: source}
    assert names([source, source]) == {name: source}


def test_names_that_are_given_are_kept():
    assert names({"small": "/a.gguf", "large": "/b.gguf"}) == {"small": "/a.gguf", "large": "/b.gguf"}
    assert names([]) == {} == names({})


def test_two_of_the_same_name_are_named_in_full():
    given = ["https://u:p@a.example/m.gguf", "/b/m.gguf", "/b/n.gguf"]
    assert names(given) == {"https://a.example/m.gguf": given[0], "/b/m.gguf": given[1], "n": given[2]}


def test_a_name_does_nothing_to_a_terminal():
    assert name_of("/a/\x1b[31mred.gguf") == " [31mred"


@pytest.mark.parametrize(("broken", "where"), [(3, "models"), ([3], r"models\[0\]"), ([""], r"models\[0\]"), ({"a": None}, "a"), ({"": "x"}, "a name")])
def test_what_is_no_model_is_refused(broken, where):
    with pytest.raises(InfraError, match=f"{where}: not "):
        names(broken)
