# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._backend.images import BUILD
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy import flag_table as table
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy import flags


def test_the_table_is_of_the_build_that_is_run():
    assert table.READ_BUILD == BUILD
    assert not table.SWITCHES & table.WITH_VALUE
    assert set(table.SINCE) <= flags.NAMES and flags.NAMES >= table.NEWER
    assert not set(table.REMOVED) & flags.NAMES
    assert flags.TOOLS <= flags.NAMES and set(flags.NOT_HERE) <= flags.NAMES


@pytest.mark.parametrize(
    "args, message",
    [
        (["--thread", "4"], "Did you mean '--threads'?"),
        (["--threads"], "--threads has no value"),
        (["4"], "not the name of an argument"),
        (["-1"], "not the name of an argument"),
        (["--threads=4"], "llama-server reads no '='"),
        (["--no-mmap"], "Say --load-mode none"),
        (["--control-vector-layer-range", "1"], "has no value"),
    ],
)
def test_what_is_no_argument(args, message):
    with pytest.raises(InfraError) as error:
        flags.names_in(args, "here")
    assert message in str(error.value) and str(error.value).startswith("here[0]")


def test_values_are_passed_over():
    assert flags.names_in(["--alias", "--host", "-n", "-1", "--control-vector-layer-range", "1", "2", "-v"], "here") == [
        "--alias", "-n", "--control-vector-layer-range", "-v",
    ]  # fmt: skip


def test_a_build_that_is_too_old():
    flags.check_args(["--load-mode", "none", "--ctx-size", "1"], 10436, "here")
    flags.check_args(["--lazy-mode", "off"], table.READ_BUILD, "here")
    flags.check_args(["--lazy-mode", "off"], None, "here")
    with pytest.raises(InfraError, match="b11311 is not known to have --lazy-mode, b11312 is"):
        flags.check_args(["--lazy-mode", "off"], 11311, "here")
    with pytest.raises(InfraError, match="b10113 is not known to have --load-mode, b10114 is .*issues/26110"):
        flags.check_args(["--load-mode", "none"], 10113, "here")


@pytest.mark.parametrize(
    "extra, message",
    [
        (["--api-key", "x"], "Arguments can be read by every user"),
        (["--port", "1"], "Say port"),
        (["--ctx-size", "1"], "the plan decides --ctx-size"),
        (["--tools", "all"], "lets clients run programs on the host"),
        (["--agent"], "allow_tools=true"),
    ],
)
def test_what_is_not_for_extra_args(extra, message):
    with pytest.raises(InfraError) as error:
        flags.check_extra(extra, ["--ctx-size", "4096"], None, "llama_server_manifests.extra_args")
    assert message in str(error.value)
    flags.check_extra(["--tools", "all", "--threads", "4"], ["--ctx-size", "4096"], True, "llama_server_manifests.extra_args")
