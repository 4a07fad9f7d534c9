# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way from what runs to what should run. Private: not an interface for other collections."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import Client, NotReachable
from ansible_collections.prositronic.infra.plugins.module_utils._server.info import wait_healthy
from ansible_collections.prositronic.infra.plugins.module_utils._server.instance import digest


@dataclass
class Outcome:
    """What was done, or in check mode would be."""

    changed: bool = False
    reasons: list = field(default_factory=list)
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)


def ensure(instance, state, wanted, check_mode, python, run_command):
    """Bring an instance to C(state); in check mode only say what would be done.

    The supervisor is started with the interpreter C(python) through C(run_command), which is Ansible's.
    """
    status = instance.status()
    outcome = Outcome(before=_view(status, instance.recorded(), {}))
    if state in ("stopped", "absent"):
        if status == "started" or instance.command_runs():
            outcome.reasons.append("it runs")
        if state == "absent" and status != "absent":
            outcome.reasons.append("it exists")
        outcome.after = _view("absent", {}, {}) if state == "absent" else _view("stopped" if status != "absent" else "absent", instance.recorded(), {})
        if outcome.reasons and not check_mode:
            instance.stop()
            if state == "absent":
                instance.remove()
    else:
        content = wanted.content()
        outcome.reasons = _why_start(instance, status, state, content)
        outcome.after = _view("started", content, instance.recorded().get("files", content["files"]))
        if outcome.reasons and not check_mode:
            _start(instance, wanted, python, run_command)
        if wanted.ready_url is not None and not check_mode:
            wait_healthy(Client(wanted.ready_url), wanted.ready_timeout, instance.check_given_up)
    outcome.changed = bool(outcome.reasons)
    return outcome


def _start(instance, wanted, python, run_command):
    instance.stop()
    if wanted.ready_url is not None and _answers(wanted.ready_url):
        # Else the other server would be taken for this one.
        raise InfraError("something else already answers there", wanted.ready_url, fix="Stop it, or choose another port.")
    instance.start(wanted, python, run_command)


def _answers(url):
    try:
        Client(url, timeout=2).get("/health")
    except NotReachable:
        return False
    return True


def _why_start(instance, status, state, content):
    if status != "started":
        return ["it does not run"]
    reasons = ["a restart was asked for"] if state == "restarted" else []
    if instance.state().get("digest") != digest(content):
        recorded = instance.recorded()
        changed = [key for key in ("command", "env", "stop_timeout") if recorded.get(key) != content[key]]
        files = recorded.get("files") or {}
        changed += [path for path, mark in content["files"].items() if files.get(path) != mark]
        changed += [path for path in files if path not in content["files"]]
        reasons.append("changed: " + (", ".join(changed) or "what was recorded is not what runs"))
    return reasons


def _view(status, content, files_before):
    """A side of the diff. A file is shown as changed or not: its digest could give a short secret away."""
    view = {"status": status}
    if content and status != "absent":
        files = content.get("files") or {}
        view.update(
            {
                "command": content.get("command"),
                "env": content.get("env"),
                "files": {path: "as recorded" if not files_before or files_before.get(path) == mark else "changed" for path, mark in files.items()},
            }
        )
    return view
