# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._engine.json_text import set_json, unset_json
from ansible_collections.prositronic.infra.plugins.module_utils._engine.settings import Setting, setting_from
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

CDI = Setting(("features", "cdi"), True)
RUNTIME = Setting(("runtimes", "nvidia", "path"), "nvidia-container-runtime")
OTHERS = '{\n  "log-driver": "journald",\n  "features": {\n    "containerd-snapshotter": true\n  },\n  "debug": false\n}\n'


def test_other_keys_keep_their_values_their_order_and_the_indentation():
    text = set_json(OTHERS, [CDI, RUNTIME])
    assert text == (
        '{\n  "log-driver": "journald",\n  "features": {\n    "containerd-snapshotter": true,\n    "cdi": true\n  },\n  "debug": false,\n'
        '  "runtimes": {\n    "nvidia": {\n      "path": "nvidia-container-runtime"\n    }\n  }\n}\n'
    )


@pytest.mark.parametrize("indent", ["\t", "  ", "        "])
def test_the_indentation_is_that_of_the_file(indent):
    assert f'\n{indent}"features"' in set_json(json.dumps({"debug": True}, indent=indent), [CDI])


def test_what_is_set_already_leaves_the_text_as_it_is_however_it_is_written():
    text = '{"features":{"cdi":true}}'
    assert set_json(text, [CDI]) is text


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_an_empty_file_gets_the_settings_alone(text):
    assert json.loads(set_json(text, [CDI])) == {"features": {"cdi": True}}


@pytest.mark.parametrize(
    ("text", "where", "got", "expected"),
    [
        ('{"features": {"cdi": false}}', "features.cdi", "False", "True"),
        ('{"features": {"cdi": 1}}', "features.cdi", "1", "True"),
        ('{"features": []}', "features", "[]", "{'cdi': True}"),
    ],
)
def test_another_value_is_a_conflict_that_names_path_value_and_what_is_expected(text, where, got, expected):
    with pytest.raises(InfraError) as caught:
        set_json(text, [CDI])
    assert (caught.value.where, caught.value.got, caught.value.expected) == (where, got, expected)


def test_overwriting_replaces_the_value_but_no_structure():
    assert json.loads(set_json('{"features": {"cdi": false, "b": 1}}', [CDI], overwrite=True)) == {"features": {"cdi": True, "b": 1}}
    with pytest.raises(InfraError):
        set_json('{"features": "none"}', [CDI], overwrite=True)


@pytest.mark.parametrize("text", ["{", "[]", '"text"', '{"a": 1, "a": 2}', '{"features": {"x": 1, "x": 2}}', "{} // a comment"])
def test_what_is_no_object_with_each_key_once_is_refused(text):
    with pytest.raises(InfraError):
        set_json(text, [CDI])


def test_removal_is_the_opposite():
    assert unset_json(set_json(OTHERS, [CDI, RUNTIME]), [CDI, RUNTIME]) == OTHERS


def test_removal_leaves_other_values_alone():
    text = '{"features": {"cdi": false}}'
    assert unset_json(text, [CDI, RUNTIME]) is text


@pytest.mark.parametrize("given", [{"path": "a", "value": 1}, {"path": [], "value": 1}, {"path": ["a"]}, {"path": ["a"], "value": 1, "valeu": 2}])
def test_a_setting_needs_a_path_and_a_value(given):
    with pytest.raises(InfraError, match="settings"):
        setting_from(given, "settings")
