# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module as Ansible runs it on a node, with a web server that stands for the Hub."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import re
import signal
import threading
import time

import pytest

from ansible_collections.prositronic.infra.plugins.modules import model_download as module
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._download.place import sha256, some_bytes
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import send, serving, status
from ansible_collections.prositronic.infra.tests.unit.plugins.modules.process import run_module

DATA = some_bytes()
HALF = len(DATA) // 2
SHARDS = {f"Q4_K_M/model-Q4_K_M-0000{number}-of-00003.gguf": some_bytes(200_000, number) for number in (1, 2, 3)}
NAMES = [name.rpartition("/")[2] for name in SHARDS]
SUMS = {name: sha256(data) for name, data in SHARDS.items()}
TOKEN = "hf_verysecret"


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with serving() as running:
        yield running


@pytest.fixture
def there(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def download(web, there):
    def go(environment=None, **arguments):
        return run_module(module, {"directory": str(there), **arguments}, **{"HF_ENDPOINT": web.url, **(environment or {})})

    return go


@pytest.fixture
def gate(web):
    """/m.gguf comes half at first; the rest is held back until the gate is opened."""
    opened = threading.Event()

    def answer(handler):
        if handler.headers.get("Range") or opened.is_set():
            send(handler, DATA, ETag='"1"')
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.send_header("ETag", '"1"')
        handler.end_headers()
        handler.wfile.write(DATA[:HALF])
        opened.wait(30)
        handler.wfile.write(DATA[HALF:])

    web.answers["/m.gguf"] = answer
    yield opened
    opened.set()


def state_of(there):
    return json.loads((there / ".downloads" / "state.json").read_text())


def until(holds):
    for _try in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came so far")


def half_is_there(there):
    return (there / "m.gguf.partial").exists() and (there / "m.gguf.partial").stat().st_size == HALF


def no_such_process(pid):
    """Also one that ended and that nobody has asked for."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_download_that_was_killed_goes_on(web, there, download, gate):
    source = f"{web.url}/m.gguf"
    started = download(source=source, wait=False)
    assert (started["finished"], started["changed"]) == (False, True)
    until(lambda: half_is_there(there))
    pid = state_of(there)["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: no_such_process(pid))
    assert "the download was interrupted" in download(job=started["job"])["msg"]
    web.requests.clear()
    result = download(source=source)
    assert (there / "m.gguf").read_bytes() == DATA
    assert (result["changed"], result["files"][0]["action"], result["files"][0]["fetched_bytes"]) == (True, "resume", len(DATA) - HALF)
    assert web.requests[-1][1]["Range"] == f"bytes={HALF}-"
    assert result["files"][0]["sha256"] == sha256(DATA)


def test_a_download_outlives_the_module_and_the_next_run_joins_it(web, there, download, gate):
    source = f"{web.url}/m.gguf"
    started = download(source=source, wait=False)
    again = download(source=source, poll=1)
    assert (again["finished"], again["job"]) == (False, started["job"])
    assert "downloading m.gguf (1 of 1)" in again["progress"]
    gate.set()
    done = download(job=started["job"])
    assert (done["finished"], done["changed"], done["path"]) == (True, True, str(there / "m.gguf"))
    assert (there / "m.gguf").read_bytes() == DATA
    assert len([headers for _url, headers in web.requests if headers.get("Range") is None]) == 1


def test_another_download_waits_and_then_says_who_is_at_it(web, there, download, gate):
    web.files["/other.gguf"] = DATA
    download(source=f"{web.url}/m.gguf", wait=False)
    until(lambda: half_is_there(there))
    refused = download(source=f"{web.url}/other.gguf", lock_timeout=0)
    assert f"process {state_of(there)['pid']} on " in refused["msg"] and "downloading m.gguf" in refused["msg"]
    gate.set()
    assert download(source=f"{web.url}/other.gguf", lock_timeout=30)["finished"] is True
    assert sorted(os.listdir(there)) == [".downloads", "m.gguf", "other.gguf"]


def test_the_lock_is_one_of_the_kernel(web, there, download):
    web.files["/m.gguf"] = DATA
    (there / ".downloads").mkdir(parents=True)
    with open(there / ".downloads" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another download holds the lock" in download(source=f"{web.url}/m.gguf", lock_timeout=1)["msg"]
    assert download(source=f"{web.url}/m.gguf", lock_timeout=1)["changed"] is True


def test_every_shard_from_the_hub_at_a_revision(web, there, download):
    web.add_repository("org/repo", SHARDS, revision="v1", checksums=SUMS)
    result = download(source="hf:org/repo:Q4_K_M@v1")
    assert [(there / name).read_bytes() for name in NAMES] == list(SHARDS.values())
    assert [row["sha256"] for row in result["files"]] == list(SUMS.values())
    assert result["path"] == str(there / NAMES[0])
    assert download(source="hf:org/repo:Q4_K_M@v1")["changed"] is False


def test_a_commit_that_is_there_needs_no_network(web, there, download):
    commit = "a" * 40
    web.add_repository("org/repo", SHARDS, revision=commit, checksums=SUMS)
    download(source=f"hf:org/repo:Q4_K_M@{commit}")
    web.requests.clear()
    assert download(source=f"hf:org/repo:Q4_K_M@{commit}")["changed"] is False
    assert web.requests == []


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: os.truncate(path, 1000)])
def test_a_lost_shard_is_fetched_again_and_no_other(web, there, download, damage):
    web.add_repository("org/repo", SHARDS, checksums=SUMS)
    download(source="hf:org/repo:Q4_K_M")
    damage(there / NAMES[1])
    web.requests.clear()
    result = download(source="hf:org/repo:Q4_K_M")
    assert [row["action"] for row in result["files"]] == ["keep", result["files"][1]["action"], "keep"]
    assert (there / NAMES[1]).read_bytes() == list(SHARDS.values())[1]
    assert [url.rpartition("/")[2] for url, _headers in web.requests if "/resolve/" in url] == [NAMES[1]]


def test_the_checksum_beside_the_hubs_redirect_and_no_token_for_the_other_host(web, there, download):
    with serving() as cdn:
        cdn.answers["/blob"] = lambda handler: send(handler, DATA, ETag='"of the cdn"')
        target = f"{cdn.url}/blob?signature=verysigned"
        web.answers["/org/repo/resolve/main/m.gguf"] = status(302, Location=target, X_Linked_ETag=f'"{sha256(DATA)}"', X_Linked_Size=str(len(DATA)))
        result = download(files=[{"url": f"{web.url}/org/repo/resolve/main/m.gguf"}], token=TOKEN)
        assert result["files"][0]["sha256"] == sha256(DATA)
        assert all("Authorization" not in headers for _url, headers in cdn.requests) and cdn.requests
        assert all(headers["Authorization"] == f"Bearer {TOKEN}" for _url, headers in web.requests) and web.requests
        wrong = f'"{"0" * 64}"'
        web.answers["/org/repo/resolve/main/n.gguf"] = status(302, Location=target, X_Linked_ETag=wrong)
        failed = download(files=[{"url": f"{web.url}/org/repo/resolve/main/n.gguf"}], token=TOKEN)
    assert f"got {sha256(DATA)}, expected {'0' * 64}" in failed["msg"]
    assert f"n.gguf.bad-{sha256(DATA)[:12]}" in os.listdir(there)
    written = "".join(path.read_text() for path in (there / ".downloads").iterdir())
    for secret in (TOKEN, "verysigned"):
        assert secret not in written and secret not in json.dumps({**failed, **result, "invocation": None})


def test_the_token_is_in_no_process_and_no_file(web, there, download, gate):
    download(source=f"{web.url}/m.gguf", token=TOKEN, wait=False)
    until(lambda: half_is_there(there))
    process = pathlib.Path(f"/proc/{state_of(there)['pid']}")
    assert TOKEN.encode() not in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    files = [path for path in there.rglob("*") if path.is_file()]
    assert len(files) >= 3 and not any(TOKEN.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize("way", ["environment", "file"])
def test_where_the_token_may_come_from(web, tmp_path, download, way):
    web.files["/m.gguf"] = DATA
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    if way == "file":
        download(source=f"{web.url}/m.gguf", token_file=str(tmp_path / "token"), environment={"HF_TOKEN": "another"})
    else:
        download(source=f"{web.url}/m.gguf", environment={"HF_TOKEN": TOKEN})
    assert {headers["Authorization"] for _url, headers in web.requests} == {f"Bearer {TOKEN}"}


def test_a_proxy_is_asked(web, there, download):
    web.answers["http://nowhere.invalid/m.gguf"] = lambda handler: send(handler, DATA)
    proxy = {"http_proxy": web.url, "no_proxy": "", "HF_ENDPOINT": "http://nowhere.invalid"}
    download(source="http://nowhere.invalid/m.gguf", environment=proxy)
    assert (there / "m.gguf").read_bytes() == DATA


def test_check_mode_says_what_would_be_fetched(web, there, download):
    web.add_repository("org/repo", SHARDS, checksums=SUMS)
    result = download(source="hf:org/repo:Q4_K_M", _ansible_check_mode=True)
    assert not there.exists() and result["changed"] is True
    assert result["progress"] == "would fetch 3 of 3 files, 600000 bytes"
    assert [(row["action"], row["fetched_bytes"]) for row in result["files"]] == [("fetch", 200_000)] * 3
    assert result["diff"]["after"].splitlines()[0] == f"{there / NAMES[0]}: 200000 bytes"
    download(source="hf:org/repo:Q4_K_M")
    assert download(source="hf:org/repo:Q4_K_M", _ansible_check_mode=True)["changed"] is False


def test_absent_removes_what_was_downloaded(web, there, download):
    web.add_repository("org/repo", SHARDS, checksums=SUMS)
    download(source="hf:org/repo:Q4_K_M")
    (there / f"{NAMES[0]}.partial").write_bytes(b"")
    (there / "mine.gguf").write_bytes(b"")
    arguments = {"source": "hf:org/repo:Q4_K_M", "state": "absent"}
    web.requests.clear()
    assert download(**arguments, _ansible_check_mode=True)["changed"] is True
    assert len(os.listdir(there)) == 6
    assert download(**arguments)["changed"] is True
    assert sorted(os.listdir(there)) == [".downloads", "mine.gguf"]
    assert download(**arguments)["changed"] is False
    assert web.requests == []


def test_a_path_on_the_node(there, download, tmp_path):
    path = tmp_path / "m.gguf"
    assert "the file is not on the node" in download(source=str(path))["msg"]
    path.write_bytes(DATA)
    assert (download(source=str(path))["path"], there.exists()) == (str(path), False)
    checked = download(files=[{"path": str(path), "sha256": sha256(DATA)}])
    assert (checked["changed"], checked["files"][0]["action"]) == (False, "check")
    assert download(files=[{"path": str(path), "sha256": sha256(DATA)}])["files"][0]["action"] == "keep"
    assert "the SHA-256 checksum is wrong" in download(files=[{"path": str(path), "sha256": "0" * 64}])["msg"]
    assert path.read_bytes() == DATA


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "one of the following is required: source, files, job"),
        ({"files": []}, "there is nothing to bring"),
        ({"files": [{}]}, "files[0]: neither a path nor a URL"),
        ({"files": [{"url": "https://x/a.gguf"}, {"url": "https://y/a.gguf"}]}, "two files would have the same path"),
        ({"source": "https://x/"}, "the URL does not name a .gguf file"),
        ({"source": "ftp://x/a.gguf"}, "unknown kind of source"),
        ({"source": "https://x/a.gguf", "sha256": ["abc"]}, "this is no SHA-256 checksum"),
        ({"source": "https://x/a.gguf", "sha256": ["0" * 64] * 2}, "there must be one checksum for each file"),
        ({"source": "https://x/a.gguf", "directory": "models"}, "the directory needs its full path"),
        ({"source": "https://x/a.gguf", "retries": -1}, "retries: too small"),
        ({"source": "https://x/a.gguf", "token_file": "/nowhere"}, "/nowhere: the token can't be read"),
        ({"job": "gone"}, "this download is not known here"),
    ],
)
def test_one_clear_error(download, arguments, message):
    assert re.search(re.escape(message), download(**arguments)["msg"])
