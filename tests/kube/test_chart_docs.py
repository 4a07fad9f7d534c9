# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the chart says of its values: the comments of values.yaml, the schema and the README's table are one."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import chart_values_doc

from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.images import BUILD

CHART = pathlib.Path(__file__).parents[2] / "charts/llama-server"
VALUES = CHART / "values.yaml"
MARKS = re.compile(r"(<!-- Made from values\.yaml: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def test_every_value_has_a_comment():
    assert chart_values_doc.undocumented(VALUES) == []
    assert len(chart_values_doc.comments(VALUES)) > 100


def test_readme_has_the_table():
    readme = CHART / "README.md"
    text = readme.read_text(encoding="utf-8")
    expected = MARKS.sub(lambda found: f"{found[1]}\n{chart_values_doc.table(VALUES)}\n\n{found[2]}", text)
    if os.environ.get("WRITE_GOLDEN"):
        readme.write_text(expected, encoding="utf-8")
    assert readme.read_text(encoding="utf-8") == expected


def test_schema_says_the_same_as_the_comments():
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    for path, text in chart_values_doc.comments(VALUES).items():
        node = schema
        for key in path.split("."):
            node = node["properties"][key]
        assert node["description"] == text, path


def test_schema_knows_every_value_and_nothing_else():
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    content = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    _same(schema, {**content, "global": {}}, ())


def _same(schema, content, path):
    assert schema["additionalProperties"] is False, path
    assert set(schema["properties"]) == set(content), path
    for key, value in content.items():
        below = schema["properties"][key]
        if isinstance(value, dict) and "properties" in below and (*path, key) != ("plan",):
            _same(below, value, (*path, key))


def test_chart_is_of_the_build_that_plans_name():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == f"b{BUILD}"
