# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import sys

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._engine.settings import Setting
from ansible_collections.prositronic.infra.plugins.module_utils._engine.toml_text import set_toml, unset_toml, value_text
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError

CRI = ("plugins", "io.containerd.grpc.v1.cri")
CDI = Setting((*CRI, "enable_cdi"), True)
RUNTIME = Setting((*CRI, "containerd", "runtimes", "nvidia", "options", "BinaryName"), "/usr/bin/nvidia-container-runtime")
FILE = """# Ours.
version = 2
root = '/var/lib/containerd' # a comment

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    sandbox_image = "pause:3.9"
    cdi_spec_dirs = [
      "/etc/cdi", # ] and "quotes"
      "/var/run/cdi",
    ]
    text = \"\"\"
[not.a.table]
enable_cdi = false
\"\"\"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
"""


def test_a_key_goes_to_its_table_and_a_new_table_to_the_end():
    text = set_toml(FILE, [CDI, RUNTIME])
    assert text == FILE.replace('"""\n  [plugins', '"""\n    enable_cdi = true\n  [plugins') + (
        '\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]\nBinaryName = "/usr/bin/nvidia-container-runtime"\n'
    )
    assert set_toml(text, [CDI, RUNTIME]) == text
    assert unset_toml(text, [CDI, RUNTIME]) == FILE


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib is part of Python since 3.11")
@pytest.mark.parametrize("text", ["", "\n", "a = 1", "a = 1\n[b]\nc = 2\n", "[plugins]\n", "[[stream]]\na=1\n[[stream]]\na=2\n", FILE])
def test_toml_reads_the_settings_and_everything_else_as_before(text):
    import tomllib

    settings = [CDI, RUNTIME, Setting(("imports",), ["/a", 'b"']), Setting(("timeout",), 5)]
    wanted = tomllib.loads(text)
    for setting in settings:
        place = wanted
        for key in setting.path[:-1]:
            place = place.setdefault(key, {})
        place[setting.path[-1]] = setting.value
    assert tomllib.loads(set_toml(text, settings)) == wanted


def test_another_value_is_a_conflict_unless_it_may_be_overwritten():
    text = FILE.replace('sandbox_image = "pause:3.9"', "enable_cdi = false # why")
    with pytest.raises(InfraError) as caught:
        set_toml(text, [CDI])
    assert (caught.value.where, caught.value.got, caught.value.expected) == ("plugins.io.containerd.grpc.v1.cri.enable_cdi", "'false'", "'true'")
    assert set_toml(text, [CDI], overwrite=True) == text.replace("= false # why", "= true # why")


@pytest.mark.parametrize(
    "text",
    [
        "plugins = {a = 1}\n",
        '[plugins]\n"io.containerd.grpc.v1.cri" = {enable_cdi = false}\n',
        '[plugins]\n"io.containerd.grpc.v1.cri".sandbox = "a"\n',
        "[[plugins]]\na = 1\n",
    ],
)
def test_a_table_that_is_written_otherwise_is_refused(text):
    with pytest.raises(InfraError, match="can't be added to"):
        set_toml(text, [CDI])


@pytest.mark.parametrize("text", ["a\n", "[a\n", "a = [1\n", "a = 'b\n", "= 1\n"])
def test_what_is_no_toml_is_refused(text):
    with pytest.raises(InfraError, match="no TOML"):
        set_toml(text, [CDI])


def test_a_value_that_toml_has_no_word_for_is_refused():
    with pytest.raises(InfraError, match="can't be written"):
        value_text({"a": 1})
