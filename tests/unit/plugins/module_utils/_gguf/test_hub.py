# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server that answers like the Hugging Face Hub."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.read import read_model
from ansible_collections.prositronic.infra.tests.fuzz import bounds
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf.web import send, status

MODEL = make.model()
TREE = "/api/models/org/repo/tree/main"
SHA256 = "ab" * 32


def urls_of(web, source, **options):
    model = read_model(source, endpoint=web.url, timeout=5, **options)
    assert model["source"] == source
    return [file["url"].replace(f"{web.url}/org/repo/resolve/", "") for file in model["files"]]


def error_of(web, source, **options):
    with pytest.raises(InfraError) as caught:
        read_model(source, endpoint=web.url, timeout=5, **options)
    return str(caught.value)


def files(*names):
    return dict.fromkeys(names, MODEL)


MANY = files("M-Q4_K_M.gguf", "M-Q8_0.gguf", "M-UD-Q4_K_XL.gguf", "M-bf16.gguf", "mmproj-M-Q4_K_M.gguf", "mtp-M-Q8_0.gguf", "README.md")


@pytest.mark.parametrize(
    "wanted, found",
    [
        ("", "M-Q4_K_M.gguf"),
        (":q4_k_m", "M-Q4_K_M.gguf"),
        (":Q8_0", "M-Q8_0.gguf"),
        (":Q4_K_XL", "M-UD-Q4_K_XL.gguf"),
        (":UD-Q4_K_XL", "M-UD-Q4_K_XL.gguf"),
        (":BF16", "M-bf16.gguf"),
        ("/M-Q8_0.gguf", "M-Q8_0.gguf"),
        ("/mmproj-M-Q4_K_M.gguf", "mmproj-M-Q4_K_M.gguf"),
    ],
)
def test_one_file_of_a_repository(web, wanted, found):
    web.add_repository("org/repo", MANY)
    assert urls_of(web, f"hf:org/repo{wanted}") == [f"main/{found}"]


@pytest.mark.parametrize(
    "wanted, message",
    [
        (":Q5_K_M", r"hf:org/repo:Q5_K_M: the repository has no Q5_K_M (expected one of BF16, Q4_K_M, Q8_0, UD-Q4_K_XL)"),
        (":K_M", "the repository has no K_M"),
        ("/other.gguf", "this file is not in the repository (expected one of M-Q4_K_M.gguf, M-Q8_0.gguf"),
    ],
)
def test_what_is_not_there_lists_what_is(web, wanted, message):
    web.add_repository("org/repo", MANY)
    assert message in error_of(web, f"hf:org/repo{wanted}")


def test_a_plain_quantization_goes_before_a_dynamic_one(web):
    web.add_repository("org/repo", files("M-Q4_K_M.gguf", "M-UD-Q4_K_M.gguf"))
    assert urls_of(web, "hf:org/repo") == urls_of(web, "hf:org/repo:Q4_K_M") == ["main/M-Q4_K_M.gguf"]
    assert urls_of(web, "hf:org/repo:UD-Q4_K_M") == ["main/M-UD-Q4_K_M.gguf"]


def test_the_only_model_needs_no_quantization(web):
    web.add_repository("org/repo", files("whatever.gguf", "mmproj-whatever-f16.gguf", "whatever-imatrix.gguf"))
    assert urls_of(web, "hf:org/repo") == ["main/whatever.gguf"]


def test_several_models_need_one(web):
    web.add_repository("org/repo", files("M-Q8_0.gguf", "M-Q6_K.gguf"))
    assert "none is Q4_K_M (got Q6_K, Q8_0). Name one" in error_of(web, "hf:org/repo")


def test_two_of_the_same_quantization(web):
    web.add_repository("org/repo", files("a-Q4_K_M.gguf", "sub/b-Q4_K_M.gguf"))
    for source in ("hf:org/repo", "hf:org/repo:Q4_K_M"):
        assert "several models of the repository are Q4_K_M (got a-Q4_K_M.gguf, sub/b-Q4_K_M.gguf)" in error_of(web, source)
    assert urls_of(web, "hf:org/repo/sub/b-Q4_K_M.gguf") == ["main/sub/b-Q4_K_M.gguf"]


@pytest.mark.parametrize("contents", [{}, files("mmproj-f16.gguf"), {"model.safetensors": b""}])
def test_no_model(web, contents):
    web.add_repository("org/repo", contents)
    assert "the repository has no GGUF model" in error_of(web, "hf:org/repo")


def test_shards_by_quantization_and_by_file(web):
    names = [f"Q8_0/M-Q8_0-{number:05d}-of-00003.gguf" for number in (1, 2, 3)]
    web.add_repository("org/repo", {**files("M-Q4_K_M.gguf"), **dict(zip(names, make.shards()))})
    expected = [f"main/{name}" for name in names]
    assert urls_of(web, "hf:org/repo:Q8_0") == expected
    assert urls_of(web, f"hf:org/repo/{names[1]}") == expected


def test_a_missing_shard(web):
    names = [f"M-Q8_0-{number:05d}-of-00003.gguf" for number in (1, 3)]
    web.add_repository("org/repo", files(*names))
    assert "1 of 3 shards are not in the repository (got no 'M-Q8_0-00002-of-00003.gguf')" in error_of(web, "hf:org/repo")


def test_a_revision_with_a_slash(web):
    web.add_repository("org/repo", files("M-Q4_K_M.gguf"), revision="refs%2Fpr%2F1")
    for source in ("hf:org/repo@refs/pr/1", "hf:org/repo:Q4_K_M@refs/pr/1", "hf:org/repo/M-Q4_K_M.gguf@refs/pr/1"):
        assert urls_of(web, source) == ["refs%2Fpr%2F1/M-Q4_K_M.gguf"]


def test_a_file_name_that_needs_quoting(web):
    web.add_repository("org/repo", {"a b#100%.gguf": b""})
    web.files["/org/repo/resolve/main/a%20b%23100%25.gguf"] = MODEL
    assert urls_of(web, "hf:org/repo") == ["main/a%20b%23100%25.gguf"]


def test_checksums_are_recorded_where_the_hub_has_them(web):
    web.add_repository("org/repo", files("a-Q4_K_M.gguf", "b-Q8_0.gguf"), checksums={"a-Q4_K_M.gguf": SHA256, "b-Q8_0.gguf": "no checksum"})
    assert read_model("hf:org/repo", endpoint=web.url)["files"][0]["sha256"] == SHA256
    assert "sha256" not in read_model("hf:org/repo:Q8_0", endpoint=web.url)["files"][0]


def test_a_listing_of_several_pages(web):
    pages = {"": ("a-Q8_0.gguf", f'<{web.other_url}/elsewhere?recursive=true&cursor=2>; rel="next"'), "2": ("b-Q4_K_M.gguf", None)}

    def page(handler):
        name, link = pages[handler.path.partition("cursor=")[2]]
        web.files[f"/org/repo/resolve/main/{name}"] = MODEL
        send(handler, json.dumps([{"type": "file", "path": name}]).encode(), Link=link)

    web.answers[TREE] = page
    # The hub's own address in the link is not followed: a mirror is asked for all of it.
    assert urls_of(web, "hf:org/repo") == ["main/b-Q4_K_M.gguf"]
    assert {headers["Host"] for _path, headers in web.requests} == {web.url.partition("://")[2]}


def test_a_listing_without_an_end(web):
    web.answers[TREE] = lambda handler: send(handler, b"[]", Link='</x?cursor=1>; rel="next"')
    assert "too many files to list" in error_of(web, "hf:org/repo")
    assert len(web.requests) <= 20


def test_a_body_without_an_end(web):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _chunk in range(4096):
                web.sent_bytes += handler.wfile.write(b"[" + b" " * 65535)

    web.answers[TREE] = endless
    assert "the answer is not a list of files" in error_of(web, "hf:org/repo")
    time.sleep(0.2)
    assert web.sent_bytes < 32 << 20


def test_a_repository_of_hostile_names(web):
    # Each name is as slow to look at as a name can be.
    entries = [{"type": "file", "path": f"{number:04d}-" + "Q4_" * 160 + "x.gguf"} for number in range(1800)]
    pages = [json.dumps(entries).encode(), json.dumps([{"type": "file", "path": f"b{number}.gguf"} for number in range(3000)]).encode()]
    web.answers[TREE] = lambda handler: send(handler, pages[0])
    outcome = bounds.within(lambda: error_of(web, "hf:org/repo"))
    assert "several models and none is Q4_K_M" in outcome
    web.answers[TREE] = lambda handler: send(handler, pages[len(web.requests) % 2], Link='</x?cursor=1>; rel="next"')
    assert "too many files to list" in error_of(web, "hf:org/repo")
    assert len(web.requests) < 5


def test_json_that_is_large_in_memory(web):
    web.files[TREE] = b'[{"":0}' + b',{"":0}' * ((1 << 20) // 7 - 2) + b"]"
    outcome = bounds.within(lambda: error_of(web, "hf:org/repo"))
    assert "the repository has no GGUF model" in outcome


def test_a_name_of_too_many_shards(web):
    web.add_repository("org/repo", files("a" * 400 + "-00001-of-99999.gguf"))
    outcome = bounds.within(lambda: error_of(web, "hf:org/repo"))
    assert "the model has too many shards (got 99999, expected at most 1024)" in outcome


@pytest.mark.parametrize("listing", [b"", b"<html>", b"{}", b"null", b"[" * 200_000, b"\xff", b"[" + b" " * (1 << 20) + b"]"])
def test_a_listing_that_is_none(web, listing):
    web.files[TREE] = listing
    assert error_of(web, "hf:org/repo").startswith(f"{web.url}{TREE}: the answer is not a list of files")


def test_entries_of_a_strange_kind_are_left_out(web):
    strange = [1, None, [], {}, {"type": "file"}, {"type": "file", "path": 5}, {"type": "directory", "path": "d.gguf"}]
    strange += [{"type": "file", "path": path} for path in ("../up.gguf", "/etc/x.gguf", "a//b.gguf", "a\nb.gguf", "./a.gguf", "a-" + "Q4_" * 1000 + ".gguf")]
    web.files[TREE] = json.dumps([*strange, {"type": "file", "path": "good.gguf", "lfs": "none"}]).encode()
    web.files["/org/repo/resolve/main/good.gguf"] = MODEL
    assert urls_of(web, "hf:org/repo") == ["main/good.gguf"]


def test_the_token_goes_to_the_hub_and_not_behind_it(web):
    web.add_repository("org/repo", files("M-Q4_K_M.gguf"))
    web.files["/bucket/blob"] = MODEL
    web.answers["/org/repo/resolve/main/M-Q4_K_M.gguf"] = status(302, Location=f"{web.other_url}/bucket/blob?X-Signature=1")
    assert urls_of(web, "hf:org/repo", token="hf_secret") == ["main/M-Q4_K_M.gguf"]
    assert [(path.partition("?")[0], headers.get("Authorization")) for path, headers in web.requests] == [
        (TREE, "Bearer hf_secret"),
        ("/org/repo/resolve/main/M-Q4_K_M.gguf", "Bearer hf_secret"),
        ("/bucket/blob", None),
    ]


def test_a_renamed_repository_still_gets_the_token(web):
    web.add_repository("org/new", files("M-Q4_K_M.gguf"))
    web.answers[TREE] = status(307, Location="/api/models/org/new/tree/main?recursive=true")
    web.answers["/org/repo/resolve/main/M-Q4_K_M.gguf"] = status(307, Location="/org/new/resolve/main/M-Q4_K_M.gguf")
    assert urls_of(web, "hf:org/repo", token="hf_secret") == ["main/M-Q4_K_M.gguf"]
    assert {headers.get("Authorization") for _path, headers in web.requests} == {"Bearer hf_secret"}


@pytest.mark.parametrize(
    "code, message", [(401, "set a token that may read it"), (403, "accept the model's terms"), (404, "the repository or its revision does not exist")]
)
def test_repositories_that_are_closed_or_missing(web, code, message):
    web.answers[TREE] = status(code)
    error = error_of(web, "hf:org/repo", token="hf_secret")
    assert message in error and "hf_secret" not in error


@pytest.mark.parametrize(
    "source",
    [
        "hf:",
        "hf:org",
        "hf:org/",
        "hf:/repo",
        "hf:org/repo/",
        "hf:org/repo/file",
        "hf:org/../x",
        "hf:org/repo/../x.gguf",
        "hf:org/repo:",
        "hf:org/repo@",
        "hf:o rg/repo",
        "hf:org/repo?x=1",
    ],
)
def test_sources_that_name_nothing(web, source):
    assert "this is no model on the hub (expected hf:org/repo" in error_of(web, source)
    assert not web.requests
