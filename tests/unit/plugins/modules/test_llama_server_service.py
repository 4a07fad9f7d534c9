# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module llama_server_service, with programs that answer as systemd and Podman do."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._service.files import MARK
from ansible_collections.prositronic.infra.plugins.modules import llama_server_service

from . import process

# The state of the server is a file; one whose unit says BROKEN does not start.
SYSTEMCTL = """#!/bin/sh
case "$*" in
    *--value*) echo 257 ;;
    show*) [ -e {0}/up ] && echo ActiveState=active || echo ActiveState=inactive; echo LoadState=loaded; echo NeedDaemonReload=no ;;
    restart*|start*) grep -q BROKEN {0}/units/*.container && {{ echo 'Job failed.' >&2; exit 1; }}; touch {0}/up ;;
    stop*) rm -f {0}/up ;;
esac
"""
PODMAN = """#!/bin/sh
case "$*" in *inspect*) echo sha256:1 ;; esac
"""
JOURNALCTL = """#!/bin/sh
echo 'error: invalid argument: --nonsense'
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    for name, text in (("systemctl", SYSTEMCTL.format(tmp_path)), ("podman", PODMAN), ("journalctl", JOURNALCTL), ("check", "#!/bin/sh\n")):
        (tmp_path / "bin" / name).write_text(text, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")

    def go(text="", **arguments):
        manifests = {
            "target": "quadlet", "name": "chat", "unit": "llama-server-chat", "url": "http://127.0.0.1:1", "image": "example.com/llama:server-b11312",
            "engine": None, "scope": "system", "binary": None, "secrets": [], "check": {"argv": ["check"], "environment": {}}, "start_timeout_seconds": 1,
            "files": [{"path": str(tmp_path / "units" / "llama-server-chat.container"), "content": f"{MARK}\n{text}\n", "mode": "0644"}],
        }  # fmt: skip
        given = {"directory": str(tmp_path / "state"), "name": "chat", "manifests": manifests, "_ansible_remote_tmp": str(tmp_path), **arguments}
        return process.run_module(llama_server_service, given)

    return go


def test_it_is_started_once_with_the_difference(run, tmp_path):
    predicted = run(_ansible_check_mode=True)
    assert not (tmp_path / "up").exists() and not (tmp_path / "units").exists()
    done = run()
    assert (done["changed"], done["diff"]) == (True, predicted["diff"])
    assert done["diff"][0]["before"] == "" and done["diff"][0]["after"].startswith(MARK)
    assert (tmp_path / "up").exists()
    again = run()
    assert (again["changed"], again["reasons"], again["diff"]) == (False, [], [])


def test_a_broken_version_fails_with_its_log(run, tmp_path):
    run()
    failed = run("BROKEN")
    assert failed["failed"]
    assert "this llama-server does not know the argument --nonsense" in failed["msg"]
    assert "The version before was put back and runs" in failed["msg"]
    assert failed["log"]["problems"][0]["code"] == "unknown_argument"
    assert (tmp_path / "up").exists()
    assert not run()["changed"]


def test_it_is_removed_once(run, tmp_path):
    run()
    assert run(state="absent", manifests=None)["changed"]
    assert not (tmp_path / "up").exists()
    assert list((tmp_path / "units").iterdir()) == []


@pytest.mark.parametrize("manifests", [{}, {"target": "quadlet"}, {"files": 1}])
def test_what_is_no_rendered_server(run, manifests):
    assert "not a rendered server" in run(manifests=manifests)["msg"]
