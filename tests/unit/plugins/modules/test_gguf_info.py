# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module as Ansible runs it on a node."""

from __future__ import annotations

import os

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import read_local
from ansible_collections.prositronic.infra.plugins.modules import gguf_info as module
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make
from ansible_collections.prositronic.infra.tests.unit.plugins.modules.process import run_module


def run(**arguments):
    return run_module(module, arguments)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_model(tmp_path, check_mode):
    path = tmp_path / "m.gguf"
    path.write_bytes(make.model())
    result = run(path=str(path), _ansible_check_mode=check_mode)
    assert result["changed"] is False
    assert result["model"] == read_local(str(path))


@pytest.mark.parametrize(
    "contents, message",
    [
        (None, "the model file does not exist"),
        (b"<html>", "not a GGUF file but an HTML page"),
        (make.model()[:-5], "incomplete"),
        (make.header([make.LLAMA], tensor_count=1 << 60), "the number of tensors can't be right"),
        (make.header([make.LLAMA, make.pair("llama.\x1b[2J", 9, b"\x09\0\0\0" + b"\1" * 8)]), "'llama.\\x1b[2J' is an array of arrays"),
    ],
)
def test_one_clear_error(tmp_path, contents, message):
    path = tmp_path / "m.gguf"
    if contents is not None:
        path.write_bytes(contents)
    result = run(path=str(path))
    assert result["failed"] is True
    assert result["msg"].startswith(f"{path}: ") and message in result["msg"]


def test_only_files_of_the_node():
    assert "does not exist" in run(path="https://127.0.0.1:1/m.gguf")["msg"]


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "m.gguf")
    assert "not a regular file" in run(path=str(tmp_path / "m.gguf"))["msg"]
