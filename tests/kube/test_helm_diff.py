# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What helmfile is told by 'helm diff', whichever plugin it is from: the stand-in answers as the real one."""

from __future__ import annotations

import pytest

SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  context: {{ .Values.context | quote }}
"""
KEY = """\
{{- if .Values.key }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-key
stringData:
  key: {{ .Values.key }}
{{- end }}
"""
HOOK = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-before
  annotations:
    helm.sh/hook: pre-upgrade
data:
  hook: {{ .Values.hook | quote }}
"""


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("context: 4096\nkey: swordfish\nhook: a\n")
    for name, text in (("settings", SETTINGS), ("key", KEY), ("hook", HOOK)):
        (folder / "templates" / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def diff(on_cluster, namespace, chart):
    """Asks as helmfile does."""

    def ask(*options, name="it"):
        command = ["helm", "diff", "upgrade", "--allow-unreleased", name, str(chart), "--namespace", namespace]
        return on_cluster.run(*command, "--detailed-exitcode", "--no-color", "--context", "3", *options)

    return ask


@pytest.fixture
def installed(on_cluster, namespace, chart):
    done = on_cluster.run("helm", "install", "it", str(chart), "--namespace", namespace)
    assert done.returncode == 0, done.stderr


def test_a_release_that_is_not_there_is_a_change(diff):
    done = diff()
    assert done.returncode == 2, done.stderr
    assert "it-settings" in done.stdout and "4096" in done.stdout


def test_the_same_is_no_change(diff, installed):
    done = diff()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(
    "setting, shown",
    [("context=8192", ("it-settings", "4096", "8192")), ("key=", ("it-key",)), ("key=herring", ("it-key",)), ("hook=b", ("it-before",))],
)
def test_another_value_is_a_change(diff, installed, setting, shown):
    done = diff("--set", setting)
    assert done.returncode == 2, done.stderr
    assert all(text in done.stdout for text in shown)
    assert "swordfish" not in done.stdout and "herring" not in done.stdout


def test_a_file_of_values_is_read(diff, installed, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("context: 4096\n")
    assert diff("--values", str(values)).returncode == 0
    values.write_text("context: 16384\n")
    assert diff("--values", str(values)).returncode == 2


def test_without_the_option_a_change_is_no_error(on_cluster, namespace, chart):
    assert on_cluster.run("helm", "diff", "upgrade", "--allow-unreleased", "it", str(chart), "--namespace", namespace).returncode == 0


def test_what_cannot_be_rendered_is_an_error(diff, chart):
    (chart / "templates" / "wrong.yaml").write_text('{{ fail "no model" }}\n')
    done = diff()
    assert done.returncode == 1 and "no model" in done.stderr


def test_what_the_cluster_refuses_is_an_error(diff, chart):
    (chart / "templates" / "wrong.yaml").write_text("apiVersion: nobody.example/v1\nkind: Unheard\nmetadata: {name: of}\n")
    done = diff()
    assert done.returncode == 1 and 'no matches for kind "Unheard"' in done.stderr


def test_an_unknown_option_is_an_error(diff, installed):
    assert diff("--sets", "context=1").returncode == 1
