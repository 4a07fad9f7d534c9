# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is refused, and what is decided."""

from __future__ import annotations

import copy
from functools import cache

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.limits import start_timeout_seconds
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.manifests import manifests
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._deploy import cases

MODEL = {"model": "/srv/models/model.gguf"}
planned = cache(cases.planned)


def made(target, case="one-gpu", plan=None, **options):
    return manifests(plan or planned(case), target, {**MODEL, **options})


@pytest.mark.parametrize(
    "target, options, message",
    [
        (None, {}, "the target is missing"),
        ("docker", {}, "not one of the choices"),
        ("quadlet", {"prot": 1}, "Did you mean 'port'?"),
        ("quadlet", {"binary": "/x"}, "the target quadlet has no 'binary'"),
        ("systemd", {"rootless": True}, "expected 'rootless' with quadlet"),
        ("quadlet", {"name": "a b"}, "not a name for a server"),
        ("quadlet", {"name": "../x"}, "not a name for a server"),
        ("quadlet", {"host": "0.0.0.0"}, "there is no API key"),
        ("quadlet", {"host": "10.0.0.1"}, "there is no API key"),
        ("quadlet", {"host": "a.sock"}, "not an address to listen on"),
        ("quadlet", {"host": "127.0.0.1,0.0.0.0"}, "not an address to listen on"),
        ("quadlet", {"port": 65536}, "too large"),
        ("quadlet", {"model": "model.gguf"}, "not the full path of a file"),
        ("quadlet", {"model": "/srv/../etc/x"}, "not the full path of a file"),
        ("quadlet", {"model": "/model.gguf"}, "would show the server the whole machine"),
        ("quadlet", {"model": "/a\nb/c"}, "a control character"),
        ("quadlet", {"model": "/a:b/c"}, "':' in its name"),
        ("quadlet", {"alias": "a\nExec=x"}, "not a name"),
        ("quadlet", {"image": "ghcr.io/ggml-org/llama.cpp:server-cuda"}, "not pinned"),
        ("quadlet", {"image": "ghcr.io/ggml-org/llama.cpp"}, "not pinned"),
        ("quadlet", {"image": "example.com/a:latest"}, "not pinned"),
        ("quadlet", {"image": "llama.cpp:server-b11312"}, "without its registry"),
        ("quadlet", {"image": "example.com/a@sha256:00"}, "not a digest"),
        ("quadlet", {"podman_version": "4.3.1"}, "has no Quadlet"),
        ("quadlet", {"user": "me"}, "not a user for a container"),
        ("quadlet", {"memory_limit_bytes": 1}, "would not start"),
        ("quadlet", {"tls_cert_file": "/a/b"}, "belong together"),
        ("quadlet", {"api_key_file": "/a/b", "api_key_secret": "x"}, "exclude each other"),
        ("compose", {"api_key_secret": "x"}, "has no 'api_key_secret'"),
        ("quadlet", {"build": 10435}, "has a hole"),
        ("quadlet", {"build": 10500, "extra_args": ["--lazy-mode", "on"]}, "not known to have --lazy-mode"),
        ("quadlet", {"extra_args": ["--model-url", "http\n"]}, "a control character"),
        ("quadlet", {"public_name": "a;b"}, "not the name of a host"),
        ("systemd", {"archive_url": "https://x/a.tar.gz"}, "an archive without checksum"),
        ("systemd", {"archive_url": "https://x/a", "archive_sha256": "0" * 64}, "unknown build"),
        ("systemd", {"archive_url": "https://x/a", "package": "p"}, "exclude each other"),
        ("systemd", {"user": "a b"}, "not a user"),
    ],
)
def test_what_is_refused(target, options, message):
    with pytest.raises(InfraError) as error:
        made(target, **options)
    assert message in str(error.value)


@pytest.mark.parametrize("group", ["render", "44 --privileged"])
@pytest.mark.parametrize("target", ["quadlet", "compose"])
def test_groups_of_containers_are_numbers(target, group):
    with pytest.raises(InfraError, match="not the number of a group"):
        made(target, "amd", device_groups=[group])


@pytest.mark.parametrize(
    "part, value, message",
    [("fits", False, "does not fit"), ("node", 5, "not a plan"), ("image", None, "no image")],
)
def test_plans_that_can_not_be_run(part, value, message):
    plan = copy.deepcopy(planned("one-gpu"))
    plan[part] = {**plan[part], **value} if isinstance(value, dict) else value
    with pytest.raises(InfraError, match=message):
        made("quadlet", plan=plan)


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"server": {"args": []}}])
def test_what_is_no_plan(value):
    with pytest.raises(InfraError, match="not a plan"):
        manifests(value, "quadlet", MODEL)


def test_the_start_timeout_follows_the_bytes_and_the_disk():
    assert start_timeout_seconds(0, None)[0] == 120
    assert start_timeout_seconds(377 * 10**9, 2 * 10**9)[0] == 120 + 377
    seconds, reason = start_timeout_seconds(15 * 10**9, None)
    assert seconds == 320 and "assumed" in reason


@pytest.mark.parametrize("target", cases.TARGETS)
def test_a_secret_is_referred_to_by_path_or_name_alone(target):
    got = made(target, host="0.0.0.0", api_key_file="/etc/llama/api_keys")
    content = "".join(file["content"] for file in got["files"])
    assert "--api-key-file" in content and '"--api-key"' not in content and "--api-key " not in content
    assert "LLAMA_API_KEY" not in content
    assert [secret["file"] for secret in got["secrets"]] == ["/etc/llama/api_keys"]


@pytest.mark.parametrize("target", cases.TARGETS)
@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", None])
def test_loopback_needs_no_key(target, host):
    assert made(target, host=host)["secrets"] == []


@pytest.mark.parametrize("target", cases.TARGETS)
def test_there_is_no_page_and_no_metrics_unless_asked(target):
    assert "--no-ui" in made(target)["files"][0]["content"] and "--metrics" not in made(target)["files"][0]["content"]
    asked = made(target, ui=True, metrics=True)["files"][0]["content"]
    assert "--no-ui" not in asked and "--ui" in asked and "--metrics" in asked


@pytest.mark.parametrize("case, allowed", [("cpu", []), ("one-gpu", ["char-nvidia* rw"]), ("amd", ["char-kfd rw", "char-drm rw"]), ("intel", ["char-drm rw"])])
def test_the_sandbox_lets_its_own_gpu_through_and_no_other(case, allowed):
    lines = made("systemd", case)["files"][0]["content"].splitlines()
    assert [line.partition("=")[2] for line in lines if line.startswith("DeviceAllow=")] == allowed
    assert ("PrivateDevices=yes" in lines, "MemoryDenyWriteExecute=yes" in lines) == (not allowed, not allowed)
    assert ("DevicePolicy=closed" in lines) == bool(allowed)


def test_an_image_of_ones_own_without_build_is_warned_of():
    got = made("quadlet", image="example.com/llama:v1")
    assert got["build"] is None
    assert any("pinned by its tag only" in warning for warning in got["warnings"]) and any(
        "is not known, so its flags" in warning for warning in got["warnings"]
    )


def test_a_newer_build_is_warned_of():
    assert any("llama.cpp does remove some" in warning for warning in made("systemd", build=11549)["warnings"])
    assert not any("does remove" in warning for warning in made("systemd", build=11312)["warnings"])


def test_a_header_without_weights_is_warned_of():
    plan = copy.deepcopy(planned("one-gpu"))
    assert not any("without weights" in warning for warning in made("quadlet", plan=plan)["warnings"])
    plan["model"]["header_only"] = True
    assert any("without weights" in warning for warning in made("quadlet", plan=plan)["warnings"])
