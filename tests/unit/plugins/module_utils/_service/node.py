# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node that is not there: it answers systemctl, podman and docker as the real ones do, and runs a server unless its file says BROKEN."""

from __future__ import annotations

import json
import pathlib

from ansible_collections.prositronic.infra.plugins.module_utils._service.deployment import deployment
from ansible_collections.prositronic.infra.plugins.module_utils._service.files import MARK

IMAGE = "registry.example.com/llama.cpp:server-b11312"


class Node:
    """C(log): every command. C(served): the text that the running server was started with, None when it does not run."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.log = []
        self.served = None
        self.read = None
        self.enabled = False
        self.images = {IMAGE: "1"}
        self.runs_image = None
        self.secrets = {}
        self.refuses = ()
        self.missing = ()

    @property
    def unit(self):
        return self.path / "units" / "llama-server-chat.container"

    def made(self, text="", target="quadlet", image=IMAGE, secrets=(), start_timeout_seconds=1, **more):
        name = {"quadlet": "units/llama-server-chat.container", "systemd": "system/llama-server-chat.service", "compose": "chat/compose.yaml"}[target]
        path = str(self.path / name)
        check = {"argv": ["check", "%s"], "environment": {"DIRECTORY": "%s"}}
        value = {
            "target": target, "name": "chat", "unit": "llama-server-chat", "url": "http://127.0.0.1:1", "image": None if target == "systemd" else image,
            "engine": "docker" if target == "compose" else None, "scope": "system", "files": [{"path": path, "content": f"{MARK}\n{text}\n", "mode": "0644"}],
            "binary": {"path": "/bin/sh", "directory": None} if target == "systemd" else None,
            "secrets": [{"file": None, "podman_secret": None, "copy": None, "owner": None, **secret} for secret in secrets],
            "check": check, "start_timeout_seconds": start_timeout_seconds, **more,
        }  # fmt: skip
        return deployment(value)

    def count(self, *words):
        """How many commands began so, systemctl and podman left out."""
        return sum(argv[1 : 1 + len(words)] == list(words) for argv in self.log)

    def run(self, argv, environment):
        self.log.append(argv)
        if argv[0] in self.missing:
            return 127, "", f"{argv[0]}: not found"
        return getattr(self, f"_{argv[0]}")(argv[1:], environment)

    def _check(self, argv, environment):
        text = pathlib.Path(argv[0]).read_text(encoding="utf-8")
        assert pathlib.Path(argv[0]).parent == pathlib.Path(environment["DIRECTORY"])
        return (1, "", f"{argv[0]}: NONSENSE in line 2") if "NONSENSE" in text else (0, "", "")

    def _systemctl(self, argv, _environment):
        verb, unit = argv[0], self._unit()
        if verb == "show" and "--value" in argv:
            return 0, "257\n", ""
        if verb == "show":
            stale = self.read is not None and unit != self.read
            state = "active" if self.served is not None else "inactive"
            facts = {"ActiveState": state, "SubState": "x", "LoadState": "loaded" if self.read else "not-found", "NeedDaemonReload": "yes" if stale else "no"}
            facts["UnitFileState"] = "enabled" if self.enabled else "disabled"
            return 0, "".join(f"{key}={value}\n" for key, value in facts.items()), ""
        if verb == "daemon-reload":
            self.read = unit
        elif verb in ("enable", "disable"):
            self.enabled = verb == "enable"
        elif verb == "stop":
            self.served = None
        elif verb == "restart" or (verb == "start" and self.served is None):
            return self._start()
        return 0, "", ""

    def _unit(self):
        found = [path for folder in ("units", "system") for path in sorted((self.path / folder).glob("llama-server-chat.*"))]
        return found[0].read_text(encoding="utf-8") if found else None

    def _start(self):
        if self.read is None or "BROKEN" in self.read:
            self.served = None
            return 1, "", "Job for llama-server-chat.service failed."
        self.served, self.runs_image = self.read, self.images.get(IMAGE)
        return 0, "", ""

    def _journalctl(self, _argv, _environment):
        return 0, "loading\nerror: invalid argument: --nonsense\n", ""

    def _podman(self, argv, _environment):
        return self._engine(argv)

    def _docker(self, argv, environment):
        if argv[0] == "compose" and argv[1] == "--file":
            return self._compose(argv[2], argv[3])
        if argv[0] == "logs":
            return self._journalctl(argv, environment)
        return self._engine(argv)

    def _compose(self, file, verb):
        if verb == "down":
            pathlib.Path(file).read_text(encoding="utf-8")
            self.served = None
            return 0, "", ""
        text = pathlib.Path(file).read_text(encoding="utf-8")
        self.served, self.runs_image = text, self.images.get(IMAGE)
        return 0, "", ""

    def _engine(self, argv):
        if argv[:2] == ["image", "inspect"]:
            found = self.images.get(argv[-1])
            return (0, f"sha256:{found}\n", "") if found else (1, "", "no such image")
        if argv[:2] == ["container", "inspect"] and "json" in argv[3]:
            return (0, json.dumps({"Running": True}), "") if self.served is not None else (1, "", "no such container")
        if argv[:2] == ["container", "inspect"]:
            return (0, f"{self.runs_image}\n", "") if self.served is not None else (1, "", "no such container")
        if argv[0] in ("pull", "load"):
            if argv[0] in self.refuses:
                return 125, "", "no route to host"
            self.images[argv[-1] if argv[0] == "pull" else IMAGE] = "1"
        if argv[:2] == ["image", "rm"]:
            self.images.pop(argv[-1], None)
        if argv[:2] == ["secret", "inspect"]:
            return (0, "[]", "") if argv[2] in self.secrets else (1, "", "no such secret")
        if argv[:2] == ["secret", "create"]:
            self.secrets[argv[2]] = pathlib.Path(argv[3]).read_text(encoding="utf-8")
        if argv[:2] == ["secret", "rm"]:
            self.secrets.pop(argv[2], None)
        return 0, "", ""
