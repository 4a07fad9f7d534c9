# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lookup as a template calls it."""

from __future__ import annotations

import os

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader

from ansible_collections.prositronic.infra.tests.fuzz import replay
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.test_hostile import CASES
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import serving


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def gguf(tmp_path):
    """gguf(terms, **options) for a playbook in tmp_path."""
    loader = DataLoader()
    loader.set_basedir(str(tmp_path))

    def run(*terms, **options):
        variables = {"ansible_search_path": [str(tmp_path / "role"), str(tmp_path)]}
        return lookup_loader.get("prositronic.infra.gguf", loader=loader).run(list(terms), variables, **options)

    return run


def test_one_model_for_each_term(gguf, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.gguf").write_bytes(make.header([make.LLAMA, make.scalar("general.name", "str", name)]))
    models = gguf(str(tmp_path / "a.gguf"), str(tmp_path / "b.gguf"))
    assert [model["name"] for model in models] == ["a", "b"]
    assert {type(model) for model in models} == {dict}
    assert gguf() == []


def test_a_model_that_can_not_be_read_does_not_hide_the_others(gguf, tmp_path):
    (tmp_path / "a.gguf").write_bytes(make.model())
    missing, model = gguf(str(tmp_path / "none.gguf"), str(tmp_path / "a.gguf"), unreadable="value")
    assert list(missing) == ["error"] and "none.gguf: the model file does not exist" in missing["error"]
    assert "architecture" in model
    with pytest.raises(AnsibleLookupError, match="does not exist"):
        gguf(str(tmp_path / "none.gguf"), unreadable="error")


@pytest.mark.parametrize("place", ["role/files", "role", "files", "."])
def test_a_relative_path_is_searched_for(gguf, tmp_path, place):
    path = tmp_path / place / "sub" / "m.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(make.model())
    (model,) = gguf("sub/m.gguf")
    assert model["source"] == "sub/m.gguf"
    assert model["files"][0]["path"] == str(path)


@pytest.mark.parametrize(
    "term, message",
    [
        ("nowhere.gguf", "nowhere.gguf: the model file does not exist. Check the path."),
        ("", "this is no path"),
        ("a\0b", "this is no path"),
        (".", "the model file is a directory"),
        (5, "source: the source is not a string (got int"),
        (None, "source: the source is not a string"),
        (["x"], "source: the source is not a string"),
        ("hf:org", "this is no model on the hub"),
    ],
)
def test_terms_without_a_model(gguf, term, message):
    with pytest.raises(AnsibleLookupError) as caught:
        gguf(term)
    assert message in str(caught.value)


def test_an_unknown_option_names_the_nearest(gguf):
    with pytest.raises(AnsibleLookupError, match="unknown option 'time_out'. Did you mean 'timeout'"):
        gguf("x.gguf", time_out=5)


def test_options_reach_the_hub(gguf):
    with serving() as web:
        web.add_repository("org/repo", {"m-Q4_K_M.gguf": make.model()})
        (model,) = gguf("hf:org/repo", endpoint=web.url + "/", token="hf_secret", timeout="5")
        assert model["files"][0]["url"] == f"{web.url}/org/repo/resolve/main/m-Q4_K_M.gguf"
        assert [headers["Authorization"] for _path, headers in web.requests] == ["Bearer hf_secret"] * 2


def test_options_from_the_environment(gguf, monkeypatch):
    with serving() as web:
        web.add_repository("org/repo", {"m-Q4_K_M.gguf": make.model()})
        monkeypatch.setenv("HF_ENDPOINT", web.url)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        assert gguf("hf:org/repo:q4_k_m")[0]["architecture"] == "llama"
        assert [headers["Authorization"] for _path, headers in web.requests] == ["Bearer hf_secret"] * 2


def test_errors_do_not_carry_the_token(gguf):
    with serving() as web, pytest.raises(AnsibleLookupError) as caught:
        gguf("hf:org/repo", endpoint=web.url, token="hf_secret")
    assert "does not exist" in str(caught.value) and "hf_secret" not in str(caught.value)


DAMAGED = {**{path.stem: data for path, data in replay.headers() if path.stem != replay.NO_ERROR}, **{name: data for name, (data, _message) in CASES.items()}}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_header_is_one_error_of_ansible(gguf, tmp_path, name):
    (tmp_path / "m.gguf").write_bytes(DAMAGED[name])
    with pytest.raises(AnsibleLookupError) as caught:
        gguf("m.gguf")
    assert str(caught.value).startswith(f"{tmp_path}/m.gguf: ")
    assert str(caught.value).isprintable()


def test_a_pipe_in_the_search_path_is_not_waited_for(gguf, tmp_path):
    os.mkfifo(tmp_path / "m.gguf")
    with pytest.raises(AnsibleLookupError, match="not a regular file"):
        gguf("m.gguf")
