# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real files, whole and split."""

from __future__ import annotations

import errno
import os
import socket
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import read_local
from ansible_collections.prositronic.infra.tests.fuzz import bounds
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make


@pytest.fixture
def split(tmp_path):
    """split(files): writes them as the shards of one model and returns their paths."""

    def write(files):
        paths = [tmp_path / f"model-Q4_K_M-{number:05d}-of-{len(files):05d}.gguf" for number in range(1, len(files) + 1)]
        for path, data in zip(paths, files):
            path.write_bytes(data)
        return [str(path) for path in paths]

    return write


def test_a_relative_path(tmp_path, monkeypatch):
    (tmp_path / "tiny.gguf").write_bytes(make.model())
    monkeypatch.chdir(tmp_path)
    model = read_local("tiny.gguf")
    assert model["source"] == "tiny.gguf"
    assert model["files"][0]["path"] == str(tmp_path / "tiny.gguf")


def test_a_header_only_file_and_a_sparse_one_of_full_size(tmp_path):
    path = tmp_path / "tiny.gguf"
    path.write_bytes(make.model(weights=False))
    model = read_local(str(path))
    assert model["header_only"] is True
    os.truncate(path, model["size_bytes"])
    assert read_local(str(path)) == dict(model, header_only=False)


@pytest.mark.parametrize(
    "name, message",
    [
        ("", "this is no path"),
        ("a\0b", "this is no path"),
        ("missing.gguf", "missing.gguf: the model file does not exist"),
        (".", "is a directory"),
        ("tiny.gguf/x", "can't be read"),
    ],
)
def test_paths_without_a_model(tmp_path, monkeypatch, name, message):
    (tmp_path / "tiny.gguf").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InfraError, match=message):
        read_local(name)


@pytest.fixture
def strange(tmp_path):
    """A folder with everything that is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe-link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "folder-link").symlink_to(".")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
    return tmp_path


@pytest.mark.parametrize(
    "name, message",
    [
        ("pipe", "not a regular file"),
        ("pipe-link", "not a regular file"),
        ("loop", "can't be read"),
        ("dangling", "the model file does not exist"),
        ("folder-link", "is a directory"),
        ("zero", "not a regular file"),
        ("null", "not a regular file"),
        ("socket", "not a regular file"),
        ("x" * 5000, "can't be read"),
        ("\x1b[2J\u202e\n.gguf", r"\\x1b\[2J\\u202e\\n.gguf: the model file does not exist"),
        ("\ud800.gguf", "this is no path|does not exist"),
    ],
)
def test_what_is_no_file_is_neither_opened_nor_waited_for(strange, name, message):
    started = time.monotonic()
    with pytest.raises(InfraError, match=message) as caught:
        read_local(str(strange / name))
    assert time.monotonic() - started < bounds.SECONDS
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000


def test_a_link_to_a_model_is_the_model(tmp_path):
    (tmp_path / "blob").write_bytes(make.model())
    (tmp_path / "m.gguf").symlink_to("blob")
    assert read_local(str(tmp_path / "m.gguf"))["files"][0]["path"] == str(tmp_path / "m.gguf")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "m.gguf"
    path.write_bytes(make.model())
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything
        monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InfraError, match="m.gguf: can't be read .got Permission denied.. Check the permissions"):
        read_local(str(path))


def refuse(path, *_arguments, **_options):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def test_a_name_from_a_path_is_one_line(tmp_path):
    path = tmp_path / "\x1b[2Jm.gguf"
    path.write_bytes(make.header([make.LLAMA]))
    assert read_local(str(path))["name"] == " [2Jm"


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(InfraError, match="empty.gguf: the file is empty"):
        read_local(str(tmp_path / "empty.gguf"))


def test_any_shard_gives_the_whole_model(split):
    files = make.shards()
    paths = split(files)
    models = [read_local(path) for path in paths]
    for path, model in zip(paths, models):
        assert model == dict(models[0], source=path)
    assert [file["path"] for file in models[0]["files"]] == paths
    assert models[0]["size_bytes"] == sum(file["size_bytes"] for file in models[0]["files"]) == sum(map(len, files))
    assert models[0]["parameters"] == 2 * 512
    assert models[0]["header_only"] is False
    assert models[0]["tensors"] == [{"name": "blk.*.ffn_up.weight", "blocks": "0-1", "type": "Q4_K", "shape": [256, 2], "size_bytes": 288}]


def test_headers_of_shards(split):
    assert read_local(split(make.shards(weights=False))[0])["header_only"] is True


def test_a_title_from_the_name_of_a_shard(split):
    files = make.shards()
    files[0] = files[0].replace(b"general.name", b"general.nome")
    assert read_local(split(files)[1])["name"] == "model"


def test_a_missing_shard(split):
    paths = split(make.shards())
    os.unlink(paths[2])
    with pytest.raises(InfraError, match="00003-of-00003.gguf: shard 3 of 3 does not exist. All shards"):
        read_local(paths[0])


def test_a_shard_in_the_place_of_another(split):
    files = make.shards()
    paths = split([files[0], files[2], files[1]])
    with pytest.raises(InfraError, match=r"split.no and the file's name differ \(got split.no 2, expected 1"):
        read_local(paths[0])


def test_a_count_that_is_not_that_of_the_names(split):
    paths = split(make.shards()[:2])
    with pytest.raises(InfraError, match=r"split.count and the file's name differ \(got split.count 3, expected 2"):
        read_local(paths[0])


def test_a_shard_under_another_name(tmp_path):
    (tmp_path / "renamed.gguf").write_bytes(make.shards()[0])
    with pytest.raises(InfraError, match="one shard of a model split into 3.*a name like model-00001-of-00003.gguf"):
        read_local(str(tmp_path / "renamed.gguf"))


def test_a_whole_model_under_the_name_of_a_shard(split):
    with pytest.raises(InfraError, match="split.count and the file's name differ"):
        read_local(split([make.model(), make.model()])[0])


def test_a_shard_of_another_model(split):
    files = make.shards()
    other = make.shards()[2].replace(b"blk.1", b"blk.0")
    with pytest.raises(InfraError, match="'blk.0.ffn_up.weight' is already in another shard"):
        read_local(split([files[0], files[1], other])[0])


def test_a_shard_of_another_architecture(split):
    files = make.shards()
    keys = [make.scalar("split.no", "u16", 2), make.scalar("split.count", "u16", 3), make.scalar("general.architecture", "str", "gemma")]
    files[2] = make.header(keys)
    with pytest.raises(InfraError, match=r"general.architecture is not that of the first shard \(got 'gemma', expected 'llama'"):
        read_local(split(files)[0])


def test_fewer_tensors_than_announced(split):
    files = make.shards()
    files[2] = make.header([make.scalar("split.no", "u16", 2), make.scalar("split.count", "u16", 3)])
    with pytest.raises(InfraError, match=r"do not have all tensors \(got 1, expected 2"):
        read_local(split(files)[0])


def test_one_shard_without_its_weights(split):
    files = make.shards()
    files[2] = make.shards(weights=False)[2]
    with pytest.raises(InfraError, match="00003-of-00003.gguf: this shard carries no weights"):
        read_local(split(files)[0])


def test_no_thousands_of_shards(tmp_path):
    with pytest.raises(InfraError, match="too many shards"):
        read_local(str(tmp_path / "m-00001-of-99999.gguf"))
