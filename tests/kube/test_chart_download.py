# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The chart's download script, run by /bin/sh with the real curl against a web server that can do what servers do."""

from __future__ import annotations

import hashlib
import http.server
import os
import pathlib
import random
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "charts/llama-server/files/download.sh"
DATA = random.Random(1).randbytes(3_000_000)
SUM = hashlib.sha256(DATA).hexdigest()
TOKEN = "hf_verysecret"


@dataclass
class Web:
    """C(files): path to content. C(held): paths that stop in the middle until they are let go. C(answers): path to a list of statuses that come first."""

    files: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    redirects: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    held: dict = field(default_factory=dict)
    without_ranges: set = field(default_factory=set)
    seen: list = field(default_factory=list)
    port: int = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def asked(self, method):
        return [headers for asked, _path, headers in self.seen if asked == method]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        web, path = self.server.web, self.path
        web.seen.append((self.command, path, dict(self.headers)))
        first = web.answers.get(path, [])
        if first:
            return self.send(first.pop(0))
        if path in web.redirects:
            return self.send(302, {"Location": web.redirects[path], **web.headers.get(path, {})})
        if path not in web.files:
            return self.send(404)
        data, status, headers = web.files[path], 200, dict(web.headers.get(path, {}))
        start = self.headers.get("Range", "bytes=0-")[len("bytes=") :].rstrip("-")
        if "Range" in self.headers and path not in web.without_ranges:
            if int(start) >= len(data):
                return self.send(416)
            status, headers["Content-Range"] = 206, f"bytes {start}-{len(data) - 1}/{len(data)}"
            data = data[int(start) :]
        return self.send(status, headers, data, with_body, web.held.get(path))

    def send(self, status, headers=(), data=b"", with_body=True, held=None):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not with_body:
            return
        half = len(data) // 2
        self.wfile.write(data[:half])
        self.wfile.flush()
        if held is not None:
            held.wait(60)
        self.wfile.write(data[half:])

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that is gone."""


@pytest.fixture
def web():
    server = Server(("127.0.0.1", 0), Handler)
    server.web = Web(port=server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.web
    for held in server.web.held.values():
        held.set()
    server.shutdown()
    thread.join()


@pytest.fixture
def hub(web):
    """/m.gguf as the Hub has it: elsewhere, with its checksum told on the way."""
    web.files["/blob"] = DATA
    web.redirects["/m.gguf"] = f"http://localhost:{web.port}/blob"
    web.headers["/m.gguf"] = {"X-Linked-ETag": f'"{SUM}"', "X-Linked-Size": str(len(DATA))}
    return web


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "models"
    path.mkdir()
    return path


@pytest.fixture
def start(volume, tmp_path):
    """start([(name, url, size, sha256), …], **environment): the script, running."""
    running = []

    def run(rows, **environment):
        listed = tmp_path / f"files{len(running)}"
        listed.write_text("".join("\t".join("-" if one is None else str(one) for one in (*row, None, None)[:4]) + "\n" for row in rows))
        own = {"MODELS": str(volume), "LIST": str(listed), "ALLOW_UNVERIFIED": "no", "PROGRESS_SECONDS": "1", "RETRIES": "3", "no_proxy": "*"}
        process = subprocess.Popen(
            ["/bin/sh", SCRIPT],
            env={"PATH": os.environ["PATH"], **own, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def download(start):
    """The same, to its end: (status, what it said)."""

    def run(*rows, **environment):
        process = start(rows, **environment)
        said, _nothing = process.communicate(timeout=60)
        return process.returncode, said

    return run


def wait_for(question, seconds=20):
    until = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < until, "it didn't come to that"
        time.sleep(0.02)


def names(volume):
    return sorted(str(path.relative_to(volume)) for path in volume.rglob("*") if path.is_file())


def test_brings_checks_and_remembers(download, hub, volume):
    status, said = download(("m.gguf", f"{hub.url}/m.gguf", len(DATA), SUM))
    assert status == 0, said
    assert (volume / "m.gguf").read_bytes() == DATA
    assert (volume / ".m.gguf.verified").read_text() == f"{SUM} {len(DATA)} {hub.url}/m.gguf\n"
    assert names(volume) == [".download.lock", ".m.gguf.verified", "m.gguf"]
    assert said.endswith("all 1 files are there\n")


def test_second_run_asks_nobody(download, hub, volume):
    for row in (("m.gguf", f"{hub.url}/m.gguf", len(DATA), SUM), ("m.gguf", f"{hub.url}/m.gguf")):
        assert download(row)[0] == 0
        hub.seen.clear()
        before = (volume / "m.gguf").stat()
        status, said = download(row)
        assert (status, said) == (0, "all 1 files are there\n")
        assert hub.seen == []
        assert (volume / "m.gguf").stat().st_mtime_ns == before.st_mtime_ns


def test_several_files_in_directories(download, web, volume):
    web.files.update({"/1": b"first", "/2": b"second"})
    status, said = download(
        *[(f"Q4_K_M/{name}", f"{web.url}/{number}", None, hashlib.sha256(web.files[f"/{number}"]).hexdigest()) for number, name in enumerate("ab", 1)]
    )
    assert status == 0, said
    assert (volume / "Q4_K_M/a").read_bytes() + (volume / "Q4_K_M/b").read_bytes() == b"firstsecond"


def test_size_and_checksum_are_the_hubs_where_nobody_says_them(download, hub, volume):
    status, said = download(("m.gguf", f"{hub.url}/m.gguf"))
    assert status == 0, said
    assert (volume / ".m.gguf.verified").read_text().split()[:2] == [SUM, str(len(DATA))]
    assert [path for method, path, _headers in hub.seen if method == "HEAD"] == ["/m.gguf"]


def test_checksum_of_a_moved_repository(download, hub):
    hub.redirects["/old.gguf"] = "/m.gguf"
    status, said = download(("m.gguf", f"{hub.url}/old.gguf"))
    assert status == 0, said


def test_checksum_is_not_taken_from_another_host(download, web, volume):
    web.files["/blob"] = DATA
    web.headers["/blob"] = {"X-Linked-ETag": f'"{SUM}"'}
    web.redirects["/m.gguf"] = f"http://localhost:{web.port}/blob"
    status, said = download(("m.gguf", f"{web.url}/m.gguf"))
    assert status == 1
    assert said.endswith("tell its checksum. Say its sha256, or model.download.allowUnverified\n")
    assert names(volume) == [".download.lock"]


def test_unverified_where_that_is_allowed(download, web, volume):
    web.files["/m.gguf"] = DATA
    status, said = download(("m.gguf", f"{web.url}/m.gguf"), ALLOW_UNVERIFIED="yes")
    assert status == 0, said
    assert (volume / "m.gguf").read_bytes() == DATA
    assert download(("m.gguf", f"{web.url}/m.gguf"), ALLOW_UNVERIFIED="yes")[1] == "all 1 files are there\n"


def test_goes_on_after_a_kill(start, download, web, volume):
    web.files["/m.gguf"] = DATA
    web.held["/m.gguf"] = threading.Event()
    row = ("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM)
    process = start([row])
    partial = volume / "m.gguf.partial"
    wait_for(lambda: partial.exists() and partial.stat().st_size > 2**20)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert "m.gguf" not in names(volume)
    had = partial.stat().st_size
    web.held["/m.gguf"].set()
    status, said = download(row)
    assert status == 0, said
    assert "m.gguf: goes on at 2 MiB" in said
    assert web.asked("GET")[-1]["Range"] == f"bytes={had}-"
    assert (volume / "m.gguf").read_bytes() == DATA


def test_ends_at_once_when_the_pod_is_stopped(start, web, volume):
    web.files["/m.gguf"] = DATA
    web.held["/m.gguf"] = threading.Event()
    process = start([("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM)])
    wait_for(lambda: (volume / "m.gguf.partial").exists())
    process.terminate()
    assert process.wait(timeout=5) == 143
    assert (volume / "m.gguf.partial").exists()
    with pytest.raises(ProcessLookupError):
        wait_for(lambda: os.killpg(process.pid, 0), 2)


def test_tells_how_far_it_is(start, web, volume):
    web.files["/m.gguf"] = DATA
    web.held["/m.gguf"] = threading.Event()
    process = start([("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM)])
    assert process.stdout.readline() == "m.gguf: downloading\n"
    assert process.stdout.readline() == "m.gguf: 2 MiB of 3 MiB\n"


def test_goes_on_after_interruptions(download, web, volume):
    web.files["/m.gguf"] = DATA
    web.answers["/m.gguf"] = [503, 429]
    status, said = download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))
    assert status == 0, said
    assert "(curl says 22, the server 503), attempt 1 of 3" in said


def test_gives_up_where_nothing_comes(download, web, volume):
    web.answers["/m.gguf"] = [503] * 9
    status, said = download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))
    assert status == 1
    assert len(web.asked("GET")) == 3
    assert said.splitlines()[-1].startswith("error: m.gguf: nothing more comes from 127.0.0.1:")


def test_begins_anew_where_the_server_has_no_ranges(download, web, volume):
    web.files["/m.gguf"] = DATA
    web.without_ranges.add("/m.gguf")
    (volume / "m.gguf.partial").write_bytes(DATA[:1000])
    (volume / ".m.gguf.source").write_text(SUM)
    status, said = download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))
    assert status == 0, said
    assert "the server can't go on in the middle of a file, so it begins anew" in said
    assert (volume / "m.gguf").read_bytes() == DATA


@pytest.mark.parametrize("size", [len(DATA), None])
def test_takes_a_part_that_is_whole(download, hub, volume, size):
    (volume / "m.gguf.partial").write_bytes(DATA)
    (volume / ".m.gguf.source").write_text(SUM)
    status, said = download(("m.gguf", f"{hub.url}/m.gguf", size, SUM))
    assert status == 0, said
    assert hub.asked("GET") == []


@pytest.mark.parametrize(
    ("there", "source", "why"),
    [(DATA + b"more", SUM, "what there is is too long"), (b"other", "0" * 64, "what there is is of another file"), (b"other", None, "of another file")],
)
def test_begins_anew_with_a_part_that_is_of_no_use(download, web, volume, there, source, why):
    web.files["/m.gguf"] = DATA
    (volume / "m.gguf.partial").write_bytes(there)
    if source:
        (volume / ".m.gguf.source").write_text(source)
    status, said = download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))
    assert status == 0, said
    assert why in said
    assert "Range" not in web.asked("GET")[0]
    assert (volume / "m.gguf").read_bytes() == DATA


def test_wrong_content_is_set_aside_and_not_fetched_again(download, web, volume):
    web.files["/m.gguf"] = DATA
    wrong = "0" * 64
    row = ("m.gguf", f"{web.url}/m.gguf", len(DATA), wrong)
    status, said = download(row)
    assert status == 1
    assert said.splitlines()[-1] == f"error: m.gguf: the SHA-256 checksum is {SUM}, not {wrong}; what came is kept as m.gguf.corrupt"
    assert names(volume) == [".download.lock", ".m.gguf.refused", "m.gguf.corrupt"]
    web.seen.clear()
    status, said = download(row)
    assert status == 1
    assert "isn't fetched again for 6 hours or until m.gguf.corrupt is removed" in said
    assert web.seen == []
    assert download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))[0] == 0
    assert names(volume) == [".download.lock", ".m.gguf.verified", "m.gguf"]


def test_wrong_part_is_set_aside_and_fetched_again(download, web, volume):
    web.files["/m.gguf"] = DATA
    (volume / "m.gguf.partial").write_bytes(b"x" * 1000)
    (volume / ".m.gguf.source").write_text(SUM)
    row = ("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM)
    status, said = download(row)
    assert status == 1
    assert "m.gguf.corrupt" in said
    assert download(row)[0] == 0
    assert (volume / "m.gguf").read_bytes() == DATA


def test_wrong_size_is_set_aside(download, web, volume):
    web.files["/m.gguf"] = DATA
    status, said = download(("m.gguf", f"{web.url}/m.gguf", len(DATA) - 1, SUM))
    assert status == 1
    assert f"its size is {len(DATA)}, not {len(DATA) - 1}" in said
    assert "m.gguf" not in names(volume)


def test_takes_a_file_that_was_there(download, web, volume):
    (volume / "m.gguf").write_bytes(DATA)
    status, said = download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))
    assert (status, web.seen) == (0, []), said
    assert names(volume) == [".download.lock", ".m.gguf.verified", "m.gguf"]


def test_replaces_another_file(download, web, volume):
    web.files["/m.gguf"] = DATA
    assert download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))[0] == 0
    web.files["/m.gguf"] = b"new" * 1000
    status, said = download(("m.gguf", f"{web.url}/m.gguf", 3000, hashlib.sha256(b"new" * 1000).hexdigest()))
    assert status == 0, said
    assert "another file is there and is replaced" in said
    assert (volume / "m.gguf").read_bytes() == b"new" * 1000


@pytest.mark.parametrize("size", [len(DATA), None])
def test_not_found_is_said_at_once(download, web, volume, size):
    status, said = download(("m.gguf", f"{web.url}/m.gguf?sig=secret", size, SUM))
    assert status == 1
    assert said.splitlines()[-1] == f"error: m.gguf: 127.0.0.1:{web.port} answers 404 to {web.url}/m.gguf"
    assert len(web.seen) == 1


def test_forbidden_names_the_token(download, web):
    web.answers["/m.gguf"] = [401]
    status, said = download(("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))
    assert status == 1
    assert "model.download.tokenSecret" in said


def test_too_little_space(download, web, volume):
    status, said = download(("m.gguf", f"{web.url}/m.gguf", 10**18, SUM))
    assert status == 1
    assert "error: 1 of 1 files: 953674316407 MiB are missing, and the volume has " in said
    assert web.seen == []


def test_token_goes_to_its_host_alone_and_not_into_arguments(start, hub, volume, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    hub.held["/blob"] = threading.Event()
    process = start([("m.gguf", f"{hub.url}/m.gguf")], TOKEN_FILE=str(tmp_path / "token"), TOKEN_HOST="127.0.0.1")
    wait_for(lambda: (volume / "m.gguf.partial").exists())
    here = [path for path in pathlib.Path("/proc").glob("[0-9]*") if _session(path) == process.pid]
    told = b"".join((path / name).read_bytes() for path in here for name in ("cmdline", "environ"))
    assert b"curl" in told
    assert TOKEN.encode() not in told
    hub.held["/blob"].set()
    said, _nothing = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert TOKEN not in said
    assert not [path for path in volume.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    for path, expected in (("/m.gguf", f"Bearer {TOKEN}"), ("/blob", None)):
        given = [headers.get("Authorization") for _method, asked, headers in hub.seen if asked == path]
        assert given
        assert set(given) == {expected}, path


def _session(process):
    try:
        return os.getsid(int(process.name))
    except ProcessLookupError:
        return None


def test_token_is_for_no_other_host(download, hub, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    status, said = download(("m.gguf", f"{hub.url}/m.gguf"), TOKEN_FILE=str(tmp_path / "token"), TOKEN_HOST="huggingface.co")
    assert status == 0, said
    assert not [headers for _method, _path, headers in hub.seen if "Authorization" in headers]


def test_token_that_would_be_two_headers(download, hub, tmp_path):
    (tmp_path / "token").write_text("one\nX-Other: two")
    status, said = download(("m.gguf", f"{hub.url}/m.gguf"), TOKEN_FILE=str(tmp_path / "token"), TOKEN_HOST="127.0.0.1")
    assert status == 1
    assert "the token in its Secret is empty or has blanks in it" in said
    assert hub.seen == []


@pytest.mark.parametrize("name", ["../m.gguf", "/etc/m.gguf", "a/../../m.gguf", "a/..", "./m.gguf", "a//m.gguf", "a/", "..", "a\\b", "a\x01b"])
def test_names_stay_on_the_volume(download, web, volume, tmp_path, name):
    status, said = download((name, f"{web.url}/m.gguf", 1, SUM))
    assert status == 1
    assert "is not the name of a file on the volume" in said
    assert web.seen == []
    assert names(volume) == []


def test_links_stay_on_the_volume(download, web, volume, tmp_path):
    web.files["/m.gguf"] = DATA
    (tmp_path / "outside").mkdir()
    (volume / "a").symlink_to(tmp_path / "outside")
    status, said = download(("a/m.gguf", f"{web.url}/m.gguf", len(DATA), SUM))
    assert status == 1
    assert "a link leads away from it" in said
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("m", "ftp://127.0.0.1/m"), "is not the URL of a file"),
        (("m", "http://user:secret@127.0.0.1/m"), "a password in it"),
        (("m", "http://127.0.0.1/m", "1e9"), "is not a size"),
        (("m", "http://127.0.0.1/m", 1, "abc"), "is not a SHA-256 checksum"),
        (("m", "http://127.0.0.1/m", 1, SUM.upper()), "is not a SHA-256 checksum"),
    ],
)
def test_bad_lines(download, volume, row, message):
    status, said = download(row)
    assert status == 1
    assert message in said
    assert names(volume) == []


def test_empty_list(download):
    status, said = download()
    assert status == 1
    assert "there is nothing in the list" in said


def test_two_pods_do_not_write_one_file(start, web, volume):
    web.files["/m.gguf"] = DATA
    web.held["/m.gguf"] = threading.Event()
    row = ("m.gguf", f"{web.url}/m.gguf", len(DATA), SUM)
    first = start([row])
    wait_for(lambda: (volume / "m.gguf.partial").exists())
    second = start([row])
    assert second.stdout.readline() == "another pod downloads onto this volume: waiting\n"
    assert len(web.asked("GET")) == 1
    web.held["/m.gguf"].set()
    for process in (first, second):
        said, _nothing = process.communicate(timeout=30)
        assert process.returncode == 0, said
    assert len(web.asked("GET")) == 1


def test_volume_that_cannot_be_written_to(web, volume, tmp_path):
    """As the user that the pod has."""
    listed = tmp_path / "files"
    listed.write_text(f"m.gguf\t{web.url}/m.gguf\t1\t{SUM}\n")
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.getuid() and path != pathlib.Path("/"):
            path.chmod(path.stat().st_mode | 0o005)
    done = subprocess.run(
        ["/bin/sh", "-s"],
        input=SCRIPT.read_text(),
        env={"PATH": os.environ["PATH"], "MODELS": str(volume), "LIST": str(listed), "ALLOW_UNVERIFIED": "no"},
        capture_output=True,
        text=True,
        check=False,
        **({"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}),
    )
    assert done.returncode == 1
    assert "error: the volume can't be written to by user" in done.stderr
