# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models on a web server, with everything that such a server does wrong."""

from __future__ import annotations

import base64
import contextlib
import gzip
import struct
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.transport import _redirected
from ansible_collections.prositronic.infra.tests.fuzz import bounds
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import send, status

MODEL = make.model()
KIB = 1024


def error_of(web, path="/m.gguf", **options):
    with pytest.raises(InfraError) as caught:
        read_model(web.url + path, **{"timeout": 5, **options})
    message = str(caught.value)
    assert message.startswith(web.url + path.partition("?")[0] + ": ")
    return message


def test_a_model(web, tmp_path):
    web.files["/m.gguf"] = MODEL
    model = read_model(f"{web.url}/m.gguf")
    (tmp_path / "m.gguf").write_bytes(MODEL)
    local = read_model(str(tmp_path / "m.gguf"))
    assert model["files"] == [dict(local["files"][0], path=None, url=f"{web.url}/m.gguf")]
    assert model == dict(local, source=f"{web.url}/m.gguf", files=model["files"])
    assert len(web.requests) == 1


def test_the_weights_stay_where_they_are(web):
    big = make.header(make.pairs(), [make.tensor("w", [4 * KIB, KIB])])
    web.files["/m.gguf"] = big + b"\0" * (16 * KIB * KIB)
    assert read_model(f"{web.url}/m.gguf")["parameters"] == 4 * KIB * KIB
    assert web.sent_bytes <= 256 * KIB


def test_a_window_that_grows_with_the_header(web):
    tokens = make.array("tokenizer.ggml.merges", "str", ["m" * 52] * 20_000)
    header = make.header(make.pairs(tokens), make.TENSORS)
    web.files["/m.gguf"] = header + b"\0" * (8 * KIB * KIB)
    read_model(f"{web.url}/m.gguf")
    ranges = [headers["Range"] for _path, headers in web.requests]
    assert ranges[0] == f"bytes=0-{256 * KIB - 1}"
    assert len(ranges) <= 4
    assert len(header) <= web.sent_bytes <= 2 * len(header)


def test_header_only_and_truncated_files(web):
    web.files["/m.gguf"] = make.model(weights=False)
    assert read_model(f"{web.url}/m.gguf")["header_only"] is True
    web.files["/m.gguf"] = MODEL[:-1]
    assert "incomplete" in error_of(web)
    web.files["/m.gguf"] = MODEL[:200]
    assert "ends within its GGUF header" in error_of(web)


def test_shards(web):
    for number, data in enumerate(make.shards(), 1):
        web.files[f"/m-{number:05d}-of-00003.gguf"] = data
    model = read_model(f"{web.url}/m-00002-of-00003.gguf?key=secret")
    assert [file["url"] for file in model["files"]] == [f"{web.url}/m-{number:05d}-of-00003.gguf" for number in (1, 2, 3)]
    assert [path for path, _headers in web.requests] == [f"/m-{number:05d}-of-00003.gguf?key=secret" for number in (1, 2, 3)]
    del web.files["/m-00003-of-00003.gguf"]
    with pytest.raises(InfraError, match="m-00003-of-00003.gguf: shard 3 of 3 does not exist"):
        read_model(f"{web.url}/m-00001-of-00003.gguf")


@pytest.mark.parametrize(
    "code, message",
    [
        (400, "HTTP status 400"),
        (401, "wants to know who asks"),
        (403, "refuses access"),
        (404, "the model file does not exist"),
        (410, "the model file does not exist"),
        (416, "the model file is empty"),
        (429, "too many requests"),
        (500, "the server fails"),
        (503, "HTTP status 503"),
        (304, "HTTP status 304"),
        (302, "HTTP status 302"),  # without a Location
    ],
)
def test_a_status_that_is_an_error(web, code, message):
    web.answers["/m.gguf"] = status(code)
    assert message in error_of(web, "/m.gguf?signature=secret")


def test_a_server_without_range_requests(web):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                web.sent_bytes += handler.wfile.write(b"GGUF" * 16 * KIB)

    web.answers["/m.gguf"] = endless
    assert "does not support range requests (got HTTP status 200" in error_of(web)
    time.sleep(0.2)
    assert web.sent_bytes < 16 * KIB * KIB


@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        f"bytes 1-{len(MODEL)}/{len(MODEL) + 1}",
        f"bytes 0-{len(MODEL) - 2}/{len(MODEL)}",
        f"bytes 0-{len(MODEL) - 1}/*",
        "bytes */100",
        "bytes 0-99999999/99999999999",
        "bytes 5-1/3",
        "pages 0-1/2",
    ],
)
def test_a_wrong_content_range(web, said):
    web.answers["/m.gguf"] = lambda handler: send(handler, MODEL, Content_Range=said)
    assert "the server answers with another range than asked for" in error_of(web)


def test_a_compressed_answer(web):
    web.answers["/m.gguf"] = lambda handler: send(handler, MODEL, Content_Encoding="gzip")
    assert "sends the file compressed (got Content-Encoding 'gzip'" in error_of(web)


def test_an_answer_that_ends_early(web):
    web.answers["/m.gguf"] = lambda handler: send(handler, MODEL, Content_Range=f"bytes 0-{len(MODEL) + 9}/{len(MODEL) + 10}", Content_Length=None)
    assert "ended its answer early" in error_of(web)


def test_a_connection_that_breaks(web):
    web.answers["/m.gguf"] = lambda handler: send(
        handler, MODEL, Content_Length=str(len(MODEL) + 10), Content_Range=f"bytes 0-{len(MODEL) + 9}/{len(MODEL) + 10}"
    )
    assert "early" in error_of(web) or "failed" in error_of(web)


def test_a_body_longer_than_its_range_is_not_read(web):
    def longer(handler):
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 0-{len(MODEL) - 1}/{len(MODEL)}")
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(MODEL)
            while True:
                handler.wfile.write(b"x" * KIB)

    web.answers["/m.gguf"] = longer
    assert read_model(f"{web.url}/m.gguf")["parameters"] == 1536


def test_a_slow_body(web):
    def dripping(handler):
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 0-{len(MODEL) - 1}/{len(MODEL)}")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for byte in MODEL:
                handler.wfile.write(bytes([byte]))
                time.sleep(0.05)

    web.answers["/m.gguf"] = dripping
    started = time.monotonic()
    assert "timed out" in error_of(web, timeout=0.5)
    assert time.monotonic() - started < 3


def until_it_stops(handler, first, again, pause=0.0):
    """Writes C(first), then C(again) until the reader has had enough, or three seconds: longer than any timeout here."""
    with contextlib.suppress(OSError):
        handler.wfile.write(first)
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            handler.wfile.write(again)
            time.sleep(pause)


HEAD = b"HTTP/1.1 206 Partial Content\r\n"
RANGE = f"Content-Range: bytes 0-{len(MODEL) - 1}/{len(MODEL)}\r\n".encode()


@pytest.mark.parametrize(
    "first, again, pause",
    [
        (b"", b"H", 0.05),
        (HEAD, b"X", 0.05),
        (HEAD + RANGE, b"X-Again: 1\r\n", 0.05),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0),
        (HEAD + RANGE + b"Transfer-Encoding: chunked\r\n\r\n", b"1", 0.05),
        (HEAD + RANGE + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nG\r\n", 0.05),
        (HEAD + RANGE + b"Transfer-Encoding: chunked\r\n\r\n1\r\nG\r\n0\r\n", b"X-Again: 1\r\n" * 100, 0),
        (b"HTTP/1.1 302 Found\r\nLocation: /m.gguf\r\nContent-Length: 99999\r\n", b"X", 0.05),
    ],
    ids=[
        "status", "header", "headers", "continue", "continue-fast", "chunk-size", "chunks", "trailers", "redirect",
    ],
)  # fmt: skip
def test_an_answer_that_goes_on_and_on(web, first, again, pause):
    web.answers["/m.gguf"] = lambda handler: until_it_stops(handler, first, again, pause)
    started = time.monotonic()
    assert "the request failed (got 'timed out')" in error_of(web, timeout=0.3)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "first, again, message",
    [
        (HEAD, b"X-Again: 1\r\n", "more than 100 headers"),
        (HEAD, b"X" * 70_000, "header line"),
        (b"", b"HTTP/1.1 " * 10_000, "the request failed"),
        (HEAD + RANGE + b"Transfer-Encoding: chunked\r\n\r\n", b"f" * 70_000, "the request failed"),
        (HEAD + RANGE + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", b"G" * 8000, "a chunk has an impossible length"),
        (HEAD + RANGE + b"Content-Encoding: gzip\r\n\r\n", b"\x1f\x8b" * 1000, "sends the file compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"\x1f\x8b" * 1000, "does not support range requests"),
        (b"HTTP/1.1 302 Found\r\nLocation: /" + b"x" * 60_000 + b"\r\n\r\n", b"x", "redirects to no web address"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", b"x" * KIB, "does not exist"),
    ],
    ids=["headers", "header", "status", "chunk-size", "negative-chunk", "gzip", "gzip-200", "location", "404"],
)
def test_an_answer_without_an_end_is_refused_at_once(web, first, again, message):
    web.answers["/m.gguf"] = lambda handler: until_it_stops(handler, first, again)
    started = time.monotonic()
    error = bounds.within(lambda: error_of(web, timeout=30))
    assert message in error
    assert len(error) < 1000
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "encoding, message", [("gzip", "sends the file compressed"), ("deflate, gzip", "sends the file compressed"), (None, "not a GGUF file")]
)
def test_an_answer_that_unpacks_to_very_much_is_not_unpacked(web, encoding, message):
    bomb = gzip.compress(b"\0" * (256 * KIB * KIB), 1)
    web.answers["/m.gguf"] = lambda handler: send(handler, bomb, Content_Encoding=encoding)
    assert message in bounds.within(lambda: error_of(web))


def test_a_vocabulary_without_an_end(web):
    start = make.header([make.LLAMA, make.pair("tokenizer.ggml.tokens", make.ARRAY, struct.pack("<IQ", 8, 2 << 20))])
    source = make.Endless(start, "x" * 200)

    def endless(handler):
        first, last = map(int, handler.headers["Range"].partition("=")[2].split("-"))
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {first}-{last}/{source.size}")
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(source.read_at(first, last - first + 1))

    web.answers["/m.gguf"] = endless
    assert "the GGUF header is too large" in bounds.within(lambda: error_of(web))


def test_the_time_for_a_request_includes_its_redirects(web):
    def slowly(handler):
        time.sleep(0.1)
        status(302, Location=f"{handler.path}x")(handler)

    for hop in range(5):
        web.answers["/m.gguf" + "x" * hop] = slowly
    web.files["/m.ggufxxxxx"] = MODEL
    with pytest.raises(InfraError, match="the request failed .got 'timed out'"):
        read_model(f"{web.url}/m.gguf", timeout=0.25)
    assert len(web.requests) <= 3
    assert read_model(f"{web.url}/m.gguf", timeout=30)["parameters"] == 1536


def test_a_redirect_from_https_to_http():
    with pytest.raises(InfraError, match="redirects to an unencrypted address .got http://host/m.gguf"):
        _redirected("https://host/m.gguf", "http://host/m.gguf?signature=secret")
    assert _redirected("https://host/m.gguf", "/there") == "https://host/there"


def test_a_server_that_never_answers(web):
    web.answers["/m.gguf"] = lambda handler: time.sleep(2)
    assert "timed out" in error_of(web, timeout=0.3)


def test_a_server_that_is_no_web_server(web):
    web.answers["/m.gguf"] = lambda handler: handler.wfile.write(b"\x00\x01garbage\r\n\r\n")
    assert "the request failed" in error_of(web)


def test_nobody_listens():
    with pytest.raises(InfraError, match=r"http://127.0.0.1:1/m.gguf: the request failed \(got .*refused"):
        read_model("http://127.0.0.1:1/m.gguf", timeout=5)


def test_an_html_page_in_ranges(web):
    web.files["/m.gguf"] = b"<!doctype html><html><title>Sign in</title>"
    assert "not a GGUF file but an HTML page" in error_of(web)


def test_an_empty_file(web):
    web.files["/m.gguf"] = b""
    assert "the model file is empty" in error_of(web)


@pytest.mark.parametrize("etags, more", [(('"1"', '"2"'), b""), (('"1"', '"1"'), b"more"), ((None, '"1"'), b"")])
def test_a_file_that_changes_while_it_is_read(web, etags, more):
    merges = make.array("tokenizer.ggml.merges", "str", ["m" * 52] * 20_000)
    data = make.header(make.pairs(merges), make.TENSORS) + b"\0" * (KIB * KIB)

    def changing(handler):
        first = len(web.requests) == 1
        send(handler, data if first else data + more, ETag=etags[0] if first else etags[1])

    web.answers["/m.gguf"] = changing
    assert "the file changed while it was read" in error_of(web)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(web, code):
    web.files["/there/m.gguf"] = MODEL
    web.answers["/m.gguf"] = status(code, Location="/there/m.gguf")
    model = read_model(f"{web.url}/m.gguf")
    assert model["files"][0]["url"] == f"{web.url}/m.gguf"
    assert [path for path, _headers in web.requests] == ["/m.gguf", "/there/m.gguf"]


@pytest.mark.parametrize(
    "location, message",
    [
        ("/m.gguf", "redirects too often"),
        ("file:///etc/passwd", "redirects to no web address"),
        ("http://[::1", "no web address"),
        ("ftp://host/m.gguf", "no web address"),
    ],
)
def test_redirects_that_lead_nowhere(web, location, message):
    web.answers["/m.gguf"] = status(302, Location=location)
    assert message in error_of(web)


def test_user_and_password_are_for_the_first_host_only(web):
    web.files["/there/m.gguf"] = MODEL
    web.answers["/m.gguf"] = status(302, Location="/again/m.gguf")
    web.answers["/again/m.gguf"] = status(302, Location=f"{web.other_url}/there/m.gguf?X-Signature=secret")
    address = web.url.replace("://", "://me:p%40ss@") + "/m.gguf?key=secret"
    model = read_model(address)
    assert [headers.get("Authorization") for _path, headers in web.requests] == [*["Basic " + base64.b64encode(b"me:p@ss").decode()] * 2, None]
    assert model["source"] == model["files"][0]["url"] == f"{web.url}/m.gguf"
    assert "secret" not in str(model)


def test_the_token_is_for_the_endpoint_only(web):
    web.files["/m.gguf"] = MODEL
    read_model(f"{web.other_url}/m.gguf", endpoint=web.url, token="hf_secret")
    read_model(f"{web.url}/m.gguf", endpoint=web.url, token="hf_secret\n")
    assert [headers.get("Authorization") for _path, headers in web.requests] == [None, "Bearer hf_secret"]


@pytest.mark.parametrize(
    "source, options, message",
    [
        ("https://", {}, "no address of a web server"),
        ("http://ho st/m.gguf", {}, "no address of a web server"),
        ("http://host:99999/m.gguf", {}, "no address of a web server"),
        ("http://host/a\nb.gguf", {}, "no address of a web server"),
        ("http://me:secret@[::1/m.gguf?key=secret", {}, "no address of a web server"),
        ("http://me:sec/secret@host/m.gguf", {}, "no address of a web server"),
        ("http://me:1?secret@host/m.gguf", {"endpoint": "https://me:secret@host:x"}, "no address of a web server"),
        ("s3://me:secret@bucket/m.gguf?key=secret", {}, "unknown kind of source"),
        ("https://host/m.gguf", {"timeout": 0}, "timeout is out of range"),
        ("https://host/m.gguf", {"timeout": float("nan")}, "timeout is out of range"),
        ("https://host/m.gguf", {"token": "secret\nX-Other: 1"}, "can't be a token"),
        ("https://host/m.gguf", {"endpoint": "huggingface.co"}, "endpoint: this is no address"),
        ("https://host/m.gguf", {"endpoint": "https://host/?key=secret"}, "must not have a query"),
    ],
)
def test_input_that_no_server_could_be_asked_with(source, options, message):
    with pytest.raises(InfraError, match=message) as caught:
        read_model(source, **options)
    assert "secret" not in str(caught.value)
