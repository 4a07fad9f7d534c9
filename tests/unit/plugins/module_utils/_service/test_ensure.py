# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a node has to a healthy server, and back."""

from __future__ import annotations

import os

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._service.ensure import Options, ensure_absent, ensure_started
from ansible_collections.prositronic.infra.plugins.module_utils._service.memory import Memory
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._service.node import IMAGE, Node


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def remembered(node):
    return Memory(str(node.path / "services"), "chat")


def start(node, text="one", check_mode=False, watched=(), archive=None, **more):
    return ensure_started(node.made(text, **more), remembered(node), node.run, Options(tuple(watched), archive, check_mode))


def absent(node, made=None, check_mode=False):
    return ensure_absent(made, remembered(node), node.run, check_mode)


def left(node):
    """Every file below the node's directory."""
    return sorted(str(path.relative_to(node.path)) for path in node.path.rglob("*") if path.is_file())


def test_a_second_run_does_nothing(node):
    assert start(node).changed
    assert "one" in node.served
    node.log.clear()
    outcome = start(node)
    assert (outcome.reasons, outcome.diff, outcome.restarted) == ([], [], False)
    assert not {"restart", "start", "daemon-reload"} & {word for argv in node.log for word in argv}


@pytest.mark.parametrize("target", ["quadlet", "systemd"])
def test_check_mode_says_what_a_run_does_and_does_nothing(node, target):
    predicted = start(node, target=target, check_mode=True)
    assert left(node) == []
    assert node.served is None
    done = start(node, target=target)
    assert predicted.reasons == done.reasons
    assert predicted.diff == done.diff


def test_a_change_restarts_once_and_reads_the_units_once(node):
    start(node)
    node.log.clear()
    outcome = start(node, "two")
    assert outcome.reasons == [f"changed: {node.unit}"]
    assert "two" in node.served
    assert (node.count("restart"), node.count("daemon-reload")) == (1, 1)


def test_a_server_that_was_stopped_is_started_and_nothing_else(node):
    start(node)
    node.served = None
    node.log.clear()
    assert start(node).reasons == ["it does not run"]
    assert (node.count("start"), node.count("restart"), node.count("daemon-reload")) == (1, 0, 0)


def test_an_edited_file_is_repaired(node):
    start(node)
    node.unit.write_text("edited", encoding="utf-8")
    outcome = start(node)
    assert outcome.diff == [(str(node.unit), "edited", node.made("one").files[0].content)]
    assert "one" in node.unit.read_text(encoding="utf-8")


def test_the_mode_of_a_file_is_repaired_without_a_restart(node):
    start(node)
    node.unit.chmod(0o600)
    outcome = start(node)
    assert outcome.reasons == [f"mode: {node.unit}"]
    assert not outcome.restarted
    assert node.unit.stat().st_mode & 0o777 == 0o644


def test_another_image_of_the_same_name_restarts(node):
    start(node)
    node.images[IMAGE] = "2"
    assert start(node).reasons == ["it runs another image"]
    assert node.runs_image == "2"


def test_a_unit_that_systemd_has_not_read_is_read(node):
    start(node, target="systemd")
    node.read = "something older"
    assert start(node, target="systemd").reasons == ["systemd has not read its unit"]
    assert start(node, target="systemd").reasons == []


def test_a_unit_that_is_not_enabled_is_enabled(node):
    start(node, target="systemd")
    node.enabled = False
    outcome = start(node, target="systemd")
    assert (outcome.reasons, outcome.restarted, node.enabled) == (["it is not enabled"], False, True)


def test_a_file_of_somebody_else_stays(node):
    node.unit.parent.mkdir()
    node.unit.write_text("[Container]\n", encoding="utf-8")
    with pytest.raises(InfraError, match="is there and is not ours"):
        start(node)
    assert node.unit.read_text(encoding="utf-8") == "[Container]\n"


def test_files_that_their_program_does_not_take_are_not_written(node):
    start(node)
    with pytest.raises(InfraError, match="does not take the new files, and the old ones stay.*NONSENSE in line 2"):
        start(node, "NONSENSE")
    assert "one" in node.unit.read_text(encoding="utf-8")
    assert "one" in node.served


def test_a_version_that_does_not_become_healthy_is_put_back(node):
    start(node)
    with pytest.raises(InfraError, match=r"does not become healthy.*does not know the argument --nonsense.*The version before was put back and runs"):
        start(node, "BROKEN")
    assert "one" in node.served
    assert "one" in node.unit.read_text(encoding="utf-8")
    assert start(node).reasons == []


def test_a_first_version_that_does_not_become_healthy_leaves_nothing(node):
    with pytest.raises(InfraError, match="It was stopped, and its files are as they were before"):
        start(node, "BROKEN")
    assert node.served is None
    assert not node.unit.exists()
    assert "made: " in start(node).reasons[0]


def test_where_nothing_was_changed_there_is_nothing_to_go_back_to(node):
    start(node)
    node.served, node.read = None, "BROKEN"
    node._unit = lambda: "BROKEN"
    with pytest.raises(InfraError, match="nothing to go back to"):
        start(node)


def test_a_run_that_was_cut_short_is_brought_to_its_end(node):
    """Killed after it had written the new file, before the restart."""
    start(node)
    memory = remembered(node)
    memory.note_paths(node.made("two").paths)
    node.unit.write_text(node.made("two").files[0].content, encoding="utf-8")
    node.read = node.unit.read_text(encoding="utf-8")
    outcome = start(node, "two")
    assert outcome.restarted
    assert "two" in node.served


def test_and_goes_back_where_the_new_version_is_broken(node):
    start(node)
    node.unit.write_text(node.made("BROKEN").files[0].content, encoding="utf-8")
    with pytest.raises(InfraError, match="The version before was put back and runs"):
        start(node, "BROKEN")
    assert "one" in node.served


def test_a_model_that_is_another_file_restarts(node, tmp_path):
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF1")
    start(node, watched=[str(model)])
    assert start(node, watched=[str(model)]).reasons == []
    model.write_bytes(b"GGUF2")
    outcome = start(node, watched=[str(model)])
    assert (outcome.reasons, outcome.restarted) == ([f"changed: {model}"], True)


def test_another_target_takes_the_place_of_the_old_one(node):
    start(node)
    outcome = start(node, target="systemd")
    assert "it ran by quadlet" in outcome.reasons
    assert f"removed: {node.unit}" in outcome.reasons
    assert not node.unit.exists()
    assert node.enabled
    assert start(node, target="systemd").reasons == []


def test_a_target_that_fails_gives_way_to_the_old_one(node):
    start(node)
    with pytest.raises(InfraError, match="The version before was put back and runs"):
        start(node, "BROKEN", target="systemd")
    assert "one" in node.served
    assert [name for name in left(node) if not name.startswith("services")] == ["units/llama-server-chat.container"]


class TestSecrets:
    @pytest.fixture
    def keys(self, tmp_path):
        path = tmp_path / "keys"
        path.write_text("first\n", encoding="utf-8")
        return path

    def test_podman_reads_the_file_itself(self, node, keys):
        secret = {"id": "api-keys", "file": str(keys), "podman_secret": "chat-keys"}
        start(node, secrets=[secret])
        assert node.secrets == {"chat-keys": "first\n"}
        assert not any("first" in word for argv in node.log for word in argv)
        assert start(node, secrets=[secret]).reasons == []

    def test_other_keys_restart(self, node, keys):
        secret = {"id": "api-keys", "file": str(keys), "podman_secret": "chat-keys"}
        start(node, secrets=[secret])
        keys.write_text("second\n", encoding="utf-8")
        outcome = start(node, secrets=[secret])
        assert (outcome.reasons, outcome.restarted) == (["secret: api-keys"], True)
        assert node.secrets == {"chat-keys": "second\n"}

    def test_a_secret_that_is_gone_is_made_again(self, node, keys):
        secret = {"id": "api-keys", "file": str(keys), "podman_secret": "chat-keys"}
        start(node, secrets=[secret])
        node.secrets.clear()
        assert start(node, secrets=[secret]).reasons == ["secret: api-keys"]
        assert node.secrets == {"chat-keys": "first\n"}

    def test_one_that_should_be_there_and_is_not(self, node):
        with pytest.raises(InfraError, match="there is no such Podman secret"):
            start(node, secrets=[{"id": "api-keys", "podman_secret": "theirs"}])

    def test_a_credential_is_read_by_systemd_and_another_one_restarts(self, node, keys):
        secret = {"id": "api-keys", "file": str(keys)}
        start(node, target="systemd", secrets=[secret])
        keys.write_text("second\n", encoding="utf-8")
        assert start(node, target="systemd", secrets=[secret]).reasons == ["secret: api-keys"]

    def test_the_text_is_nowhere_in_what_is_remembered(self, node, keys):
        start(node, secrets=[{"id": "api-keys", "file": str(keys), "podman_secret": "chat-keys"}])
        path = node.path / "services" / "chat.json"
        assert "first" not in path.read_text(encoding="utf-8")
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_copy_is_for_its_owner_alone(self, node, keys):
        copy = node.path / "chat" / "secrets" / "api-keys"
        secret = {"id": "api-keys", "file": str(keys), "copy": str(copy), "owner": f"{os.geteuid()}:{os.getegid()}"}
        start(node, secrets=[secret])
        assert copy.read_text(encoding="utf-8") == "first\n"
        assert copy.stat().st_mode & 0o777 == 0o400
        copy.chmod(0o644)
        assert start(node, secrets=[secret]).reasons == ["secret: api-keys"]
        absent(node)
        assert not copy.exists()
        assert keys.exists()

    def test_a_target_that_fails_leaves_the_secrets_of_the_old_one(self, node, keys):
        start(node, secrets=[{"id": "api-keys", "file": str(keys), "podman_secret": "chat-keys"}])
        with pytest.raises(InfraError, match="The version before was put back and runs"):
            start(node, "BROKEN", target="systemd", secrets=[{"id": "api-keys", "file": str(keys)}])
        assert node.secrets == {"chat-keys": "first\n"}

    def test_a_first_version_that_fails_leaves_no_secret(self, node, keys):
        with pytest.raises(InfraError, match="It was stopped"):
            start(node, "BROKEN", secrets=[{"id": "api-keys", "file": str(keys), "podman_secret": "chat-keys"}])
        assert node.secrets == {}


class TestImages:
    def test_it_is_brought_where_it_is_not_there_and_goes_with_the_server(self, node):
        node.images.clear()
        assert "the image is not there" in start(node).reasons
        assert IMAGE in node.images
        absent(node)
        assert node.images == {}

    def test_one_that_was_there_before_stays(self, node):
        start(node)
        absent(node)
        assert IMAGE in node.images

    def test_it_is_loaded_from_an_archive(self, node):
        node.images.clear()
        start(node, archive="/images/llama.tar")
        assert ["podman", "load", "--quiet", "--input", "/images/llama.tar"] in node.log

    def test_a_registry_that_can_not_be_reached_changes_nothing(self, node):
        node.images.clear()
        node.refuses = ("pull",)
        with pytest.raises(InfraError, match="no route to host.*image_archive"):
            start(node)
        assert left(node) == []

    def test_check_mode_pulls_nothing(self, node):
        node.images.clear()
        start(node, check_mode=True)
        assert node.images == {}


class TestAbsent:
    def test_nothing_is_left(self, node):
        start(node)
        assert absent(node, check_mode=True).changed
        assert node.served is not None
        assert absent(node).changed
        assert (node.served, left(node)) == (None, [])
        assert not absent(node).changed

    def test_what_never_became_healthy_is_removed_as_well(self, node):
        with pytest.raises(InfraError):
            start(node, "BROKEN")
        absent(node, node.made("BROKEN"))
        assert left(node) == []

    def test_nor_does_it_have_to_be_said_what_it_was(self, node):
        node.images.clear()
        with pytest.raises(InfraError):
            start(node, "BROKEN")
        assert absent(node, check_mode=True).changed
        assert absent(node).changed
        assert (left(node), node.images) == ([], {})
        assert not absent(node).changed

    def test_unless_its_files_are_still_there(self, node):
        remembered(node).note_paths(node.made().paths)
        node.unit.parent.mkdir()
        node.unit.write_text(node.made().files[0].content, encoding="utf-8")
        with pytest.raises(InfraError, match="was never healthy"):
            absent(node)
        assert node.unit.exists()

    def test_a_file_of_somebody_else_stays(self, node):
        node.unit.parent.mkdir()
        node.unit.write_text("[Container]\n", encoding="utf-8")
        with pytest.raises(InfraError, match="not ours"):
            absent(node, node.made())
        assert node.unit.exists()

    def test_compose_is_stopped_by_its_file_even_when_that_is_gone(self, node, monkeypatch):
        monkeypatch.setattr("ansible_collections.prositronic.infra.plugins.module_utils._service.compose.wait_healthy", lambda *_arguments: None)
        start(node, target="compose")
        (node.path / "chat" / "compose.yaml").unlink()
        assert absent(node).changed
        assert (node.served, left(node)) == (None, [])


def test_a_node_without_the_engine_says_so(node):
    node.missing = ("podman",)
    with pytest.raises(InfraError, match="there is no Podman on the node"):
        start(node)
