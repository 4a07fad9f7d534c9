# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files from a real web server, with everything that goes wrong on the way."""

from __future__ import annotations

import json
import os
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._download import partial, patience, space, transfer
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.transport import Refused
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._download.place import cut_after, sha256, some_bytes
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import send, serving, status

DATA = some_bytes()
HALF = len(DATA) // 2


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Nobody waits for a server here; what the pauses would have been."""
    waited = []
    monkeypatch.setattr(patience.Patience.__init__, "__defaults__", (waited.append, None))
    return waited


def start_of(place, **headers):
    """Half of the file comes, then nobody tries again."""
    place.web.answers["/m.gguf"] = cut_after(place.web, DATA, HALF, **headers)
    with pytest.raises(InfraError, match="ended its answer early|request failed"):
        place.bring(retries=0)
    place.web.requests.clear()


def test_a_file_is_there_whole_and_under_its_name_only(place):
    place.web.files["/m.gguf"] = DATA
    (row,) = place.bring(sha256=(sha256(DATA),))
    assert place.path.read_bytes() == DATA
    assert (row["action"], row["sha256"], row["size_bytes"], row["fetched_bytes"]) == ("fetch", sha256(DATA), len(DATA), len(DATA))
    assert place.names == [".downloads", "m.gguf"]
    assert place.path.stat().st_mode & 0o777 == 0o644


def test_a_second_run_reads_and_asks_nothing(place, monkeypatch):
    place.web.files["/m.gguf"] = DATA
    place.bring()
    place.web.requests.clear()
    monkeypatch.setattr("builtins.open", lambda path, *a, _open=open, **k: pytest.fail("read") if str(path) == str(place.path) else _open(path, *a, **k))
    assert [row["action"] for row in place.bring()] == ["keep"]
    assert place.web.requests == []


def test_a_connection_that_breaks_is_taken_up_where_it_broke(place, pauses):
    place.web.answers["/m.gguf"] = cut_after(place.web, DATA, HALF, ETag='"1"')
    (row,) = place.bring()
    assert place.path.read_bytes() == DATA
    assert place.ranges() == [None, f"bytes={HALF}-"]
    assert (pauses, row["fetched_bytes"]) == ([1.0], len(DATA))


@pytest.mark.parametrize("known", [(), (sha256(DATA),)])
def test_a_later_run_resumes_and_checks_the_whole(place, known):
    start_of(place, ETag='"1"')
    place.web.answers["/m.gguf"] = lambda handler: send(handler, DATA, ETag='"1"')
    (row,) = place.bring(sha256=known)
    assert place.path.read_bytes() == DATA
    assert (row["action"], row["fetched_bytes"], row["sha256"]) == ("resume" if not known else row["action"], row["fetched_bytes"], sha256(DATA))
    assert place.ranges() == [f"bytes={HALF}-"]


def test_a_checksum_makes_a_mirror_go_on_with_what_another_server_began(place):
    place.web.answers["/m.gguf"] = cut_after(place.web, DATA, HALF)
    with pytest.raises(InfraError):
        place.bring(retries=0, sha256=(sha256(DATA),))
    with serving() as mirror:
        mirror.files["/x/m.gguf"] = DATA
        (row,) = place.bring(source=f"{mirror.url}/x/m.gguf", sha256=(sha256(DATA),))
        assert mirror.requests[-1][1]["Range"] == f"bytes={HALF}-"
    assert (row["action"], row["fetched_bytes"]) == ("resume", len(DATA) - HALF)


def test_after_a_power_loss_only_what_was_synced_counts(place):
    start_of(place, ETag='"1"')
    journal = json.loads((place.directory / "m.gguf.partial.json").read_text())
    journal.update(boot_id="of another time", synced_bytes=1000)
    (place.directory / "m.gguf.partial.json").write_text(json.dumps(journal))
    place.partial.write_bytes(DATA[:1000] + b"\0" * 5000)
    place.web.answers["/m.gguf"] = lambda handler: send(handler, DATA, ETag='"1"')
    place.bring()
    assert place.path.read_bytes() == DATA
    assert place.ranges() == ["bytes=1000-"]


def test_a_part_without_a_journal_is_not_trusted(place):
    place.directory.mkdir()
    place.partial.write_bytes(b"from somewhere else")
    place.web.files["/m.gguf"] = DATA
    place.bring()
    assert place.path.read_bytes() == DATA and place.ranges() == [None]


def test_a_server_that_ignores_ranges_is_started_anew(place):
    start_of(place, ETag='"1"')

    def whole(handler):
        del handler.headers["Range"]
        send(handler, DATA, ETag='"1"')

    place.web.answers["/m.gguf"] = whole
    place.bring()
    assert place.path.read_bytes() == DATA
    assert place.notes == ["the server ignores the range asked for: starting anew"]
    assert place.progress.state["received_bytes"] == place.progress.state["total_bytes"] == len(DATA)


def test_another_range_than_asked_for_is_no_answer(place):
    start_of(place, ETag='"1"')

    def wrong(handler):
        if handler.headers["Range"] != "bytes=0-0":
            del handler.headers["Range"]
            handler.headers["Range"] = "bytes=7-"
        send(handler, DATA, ETag='"1"')

    place.web.answers["/m.gguf"] = wrong
    with pytest.raises(InfraError, match="another range than asked for"):
        place.bring()
    assert not place.path.exists()


def test_a_file_that_changed_between_two_runs_is_fetched_anew(place):
    start_of(place, ETag='"1"')
    other = some_bytes(seed=2)
    place.web.answers["/m.gguf"] = lambda handler: send(handler, other, ETag='"2"')
    place.bring()
    assert place.path.read_bytes() == other and place.ranges() == [None]


def test_a_file_that_changes_between_two_requests_is_fetched_anew_and_that_is_said(place):
    other = some_bytes(seed=2)
    broken = cut_after(place.web, DATA, HALF, ETag='"1"')
    sent = []

    def answer(handler):
        if handler.headers.get("Range") == "bytes=0-0":
            send(handler, other if sent else DATA, ETag='"2"' if sent else '"1"')
        elif not sent:
            sent.append(True)
            broken(handler)
        else:
            send(handler, other, ETag='"2"')

    place.web.answers["/m.gguf"] = answer
    place.bring()
    assert place.path.read_bytes() == other
    assert any("the file on the server changed: starting anew" in note for note in place.notes)
    assert place.web.requests[2][1]["If-Range"] == '"1"'


def test_a_wrong_checksum_sets_the_file_aside(place):
    place.web.files["/m.gguf"] = DATA
    with pytest.raises(InfraError) as error:
        place.bring(sha256=("0" * 64,))
    assert f"got {sha256(DATA)}, expected {'0' * 64}" in str(error.value)
    assert place.names == [".downloads", f"m.gguf.bad-{sha256(DATA)[:12]}"]


def test_a_wrong_start_is_not_the_end(place):
    start_of(place, ETag='"1"')
    place.partial.write_bytes(b"\0" * HALF)
    place.web.answers["/m.gguf"] = lambda handler: send(handler, DATA, ETag='"1"', X_Linked_ETag=f'"{sha256(DATA)}"')
    place.bring()
    assert place.path.read_bytes() == DATA
    assert len([name for name in place.names if ".bad-" in name]) == 1
    assert place.ranges() == [f"bytes={HALF}-", None]


def test_a_short_answer_is_never_a_whole_file(place):
    place.web.answers["/m.gguf"] = cut_after(place.web, DATA, HALF, times=99)
    with pytest.raises(InfraError):
        place.bring(retries=3)
    assert not place.path.exists() and place.partial.stat().st_size >= HALF


@pytest.mark.parametrize("there", [None, DATA[:1000]])
@pytest.mark.parametrize("linked", [True, False])
def test_a_file_that_vanished_or_was_cut_is_repaired(place, there, linked):
    headers = {"X_Linked_ETag": f'"{sha256(DATA)}"'} if linked else {}
    place.web.answers["/m.gguf"] = lambda handler: send(handler, DATA, ETag='"1"', **headers)
    place.bring()
    place.path.unlink()
    if there is not None:
        place.path.write_bytes(there)
    place.web.requests.clear()
    (row,) = place.bring()
    assert place.path.read_bytes() == DATA
    repaired = there is not None and linked
    assert row["action"] == ("repair" if repaired else "fetch")
    assert place.ranges() == (["bytes=1000-"] if repaired else [None])


def test_a_file_that_was_touched_is_read_and_kept(place):
    place.web.files["/m.gguf"] = DATA
    place.bring()
    os.utime(place.path, ns=(1, 1))
    place.web.requests.clear()
    assert [row["action"] for row in place.bring()] == ["check"]
    assert place.ranges() == []
    assert [row["action"] for row in place.bring()] == ["keep"]


def test_other_content_of_the_same_size_is_found_by_verify_always(place):
    place.web.files["/m.gguf"] = DATA
    place.bring()
    times = place.path.stat()
    place.path.write_bytes(some_bytes(seed=3))
    os.utime(place.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [row["action"] for row in place.bring()] == ["keep"]
    assert [row["action"] for row in place.bring(always=True)] == ["fetch"]
    assert place.path.read_bytes() == DATA
    assert f"m.gguf.bad-{sha256(some_bytes(seed=3))[:12]}" in place.names
    assert [row["action"] for row in place.bring(always=True)] == ["check"]


def test_a_file_somebody_else_brought_is_taken_over_when_it_is_the_right_one(place):
    place.directory.mkdir()
    place.path.write_bytes(DATA)
    place.web.files["/m.gguf"] = DATA
    assert [row["action"] for row in place.bring(sha256=(sha256(DATA),))] == ["check"]
    assert place.ranges() == []


def test_a_new_version_replaces_the_old_one(place):
    place.web.files["/m.gguf"] = DATA
    place.bring()
    place.web.files["/m.gguf"] = other = some_bytes(seed=4)
    (row,) = place.bring(sha256=(sha256(other),))
    assert place.path.read_bytes() == other and row["reason"] == "another version is wanted"
    assert not any(".bad-" in name for name in place.names)


def test_the_server_has_another_file_than_the_one_wanted(place):
    place.web.answers["/m.gguf"] = lambda handler: send(handler, DATA, X_Linked_ETag=f'"{sha256(DATA)}"')
    with pytest.raises(InfraError, match="the server has another file than the one wanted"):
        place.bring(sha256=("0" * 64,))
    assert place.ranges() == []


@pytest.mark.parametrize("code, retry_after, pause", [(429, "7", 7.0), (503, None, 1.0), (500, "nonsense", 1.0), (408, "0", 1.0)])
def test_a_busy_server_is_asked_again_later(place, pauses, code, retry_after, pause):
    place.web.files["/m.gguf"] = DATA
    fails = [True, True]

    def answer(handler):
        if fails:
            fails.pop()
            status(code, **({"Retry_After": retry_after} if retry_after else {}))(handler)
        else:
            send(handler, DATA)

    place.web.answers["/m.gguf"] = answer
    place.bring()
    assert pauses == [pause, max(pause, 2.0)]
    assert any("HTTP status" in note for note in place.notes)


def test_a_date_to_retry_after():
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    assert 90 < patience.pause_seconds(date, 1) <= 100
    assert patience.pause_seconds("86400", 1) == 900
    assert patience.pause_seconds(None, 30) == 60


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_refusal_is_not_asked_again(place, pauses, code):
    place.web.answers["/m.gguf"] = status(code)
    with pytest.raises(Refused, match=f"HTTP status {code}"):
        place.bring()
    assert pauses == []


def test_a_connection_that_only_trickles_is_given_up(place, monkeypatch):
    monkeypatch.setattr(transfer, "_SLOWEST_BYTES_PER_SECOND", 10_000)
    web_answer = cut_after(place.web, DATA, 0, times=0)

    def trickle(handler):
        if handler.headers.get("Range") == "bytes=0-0":
            web_answer(handler)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        for _second in range(40):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    place.web.answers["/m.gguf"] = trickle
    with pytest.raises(InfraError, match="the server sends next to nothing"):
        place.bring(retries=0, timeout=0.5)


def test_no_byte_is_fetched_where_it_would_not_fit(place, monkeypatch):
    place.web.files["/m.gguf"] = DATA

    class Full:
        f_bavail, f_frsize = 100, 1024

    monkeypatch.setattr(space.os, "statvfs", lambda _path: Full)
    with pytest.raises(InfraError, match=r"not enough free space for the download \(got 102400 bytes, expected 306000 bytes\)"):
        place.bring()
    assert place.ranges() == [] and not place.partial.exists()


def test_what_is_there_already_needs_no_space(place, monkeypatch):
    start_of(place, ETag='"1"')
    place.web.answers["/m.gguf"] = lambda handler: send(handler, DATA, ETag='"1"')

    class Nearly:
        f_bavail, f_frsize = 160, 1024

    monkeypatch.setattr(space.os, "statvfs", lambda _path: Nearly)
    place.bring()
    assert place.path.read_bytes() == DATA


def test_a_disk_that_fills_up_keeps_what_came(place, monkeypatch):
    place.web.files["/m.gguf"] = DATA
    real = partial.Partial.write

    def full(self, chunk):
        if self.size + len(chunk) > HALF:
            real(self, chunk[: HALF - self.size])
            raise OSError(28, "No space left on device")
        real(self, chunk)

    monkeypatch.setattr(partial.Partial, "write", full)
    with pytest.raises(OSError, match="No space left"):
        place.bring(sha256=(sha256(DATA),))
    monkeypatch.setattr(partial.Partial, "write", real)
    assert not place.path.exists() and place.partial.stat().st_size == HALF
    (row,) = place.bring(sha256=(sha256(DATA),))
    assert (row["action"], row["fetched_bytes"]) == ("resume", len(DATA) - HALF)


def test_a_compressed_answer_is_refused(place):
    place.web.answers["/m.gguf"] = lambda handler: send(handler, DATA, Content_Encoding="gzip")
    with pytest.raises(InfraError, match="compressed"):
        place.bring()


def test_a_server_that_tells_no_size_is_refused(place):
    def unsized(handler):
        del handler.headers["Range"]
        send(handler, DATA, Content_Length=None)

    place.web.answers["/m.gguf"] = unsized
    with pytest.raises(InfraError, match="does not say how large the file is"):
        place.bring()


def test_progress_can_be_read_by_people(place):
    place.web.files["/m.gguf"] = DATA
    seen = []
    place.bring()
    state = {**place.progress.state, "status": "running", "name": "m.gguf", "file": 2, "files": 9, "doing": "downloading"}
    state.update(received_bytes=25 << 29, total_bytes=400 << 30, bytes_per_second=240 << 20)
    from ansible_collections.prositronic.infra.plugins.module_utils._download.progress import text_of

    seen.append(text_of(state))
    assert seen == ["downloading m.gguf (2 of 9): 12.5 of 400.0 GiB (3 %), 240.0 MiB/s, 28 min left"]
