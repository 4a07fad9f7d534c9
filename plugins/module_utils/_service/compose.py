# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A project of Docker Compose, or of Podman's."""

from __future__ import annotations

import json

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import Client
from ansible_collections.prositronic.infra.plugins.module_utils._server.info import wait_healthy
from ansible_collections.prositronic.infra.plugins.module_utils._service.files import content_of, write
from ansible_collections.prositronic.infra.plugins.module_utils._service.images import RUNS_ANOTHER, Images

LOG_LINES = "400"


class Project:
    """C(run): (argv, environment) -> (status, output, errors)."""

    def __init__(self, made, run):
        self._made = made
        self._run = run
        self._engine = made.engine
        self._file = made.files[0].path
        self.images = Images(self._engine, self.run)

    def run(self, argv):
        return self._run(argv, {})

    def require(self, check_mode):
        """Raises InfraError where the node lacks what runs it."""
        for argv, what in (([self._engine, "version"], f"{self._engine} does not answer"), ([self._engine, "compose", "version"], "there is no Compose")):
            status, output, errors = self.run(argv)
            if status != 0:
                raise InfraError(f"{what} on the node", self._made.unit, shown(errors.strip() or output.strip()), fix="Install it, or choose another target")

    def can_check(self):
        return True

    def problems(self):
        found = self._inspect()
        if not found.get("Running"):
            return ["it does not run" if not found else f"it does not run: {found.get('Status')}"]
        return [RUNS_ANOTHER] if self.images.runs_another(self._made.unit, self._made.image) else []

    def exists(self):
        return bool(self._inspect())

    def start(self, reload, restart):
        """Returns when it is ready. Raises InfraError when it did not get there."""
        if self._engine == "podman":
            # 'podman compose' talks to Podman as to a daemon.
            self.run(["systemctl", "start", "podman.socket"])
        status, output, errors = self._compose("up", "--detach", *(["--force-recreate"] if restart else []))
        if status != 0:
            raise InfraError("the server can't be started", self._made.unit, shown(errors.strip() or output.strip()))
        wait_healthy(Client(self._made.url, validate_certs=False), self._made.start_timeout_seconds, self._given_up)

    def stop(self):
        if content_of(self._file) is None:
            # Compose finds what it started by the file.
            write(self._file, self._made.files[0].content, self._made.files[0].mode)
        status, output, errors = self._compose("down")
        if status != 0:
            raise InfraError("the server can't be stopped", self._made.unit, shown(errors.strip() or output.strip()))

    def removed(self):
        """Nothing of it outlives 'down'."""

    def log(self, since):
        """What the container has logged since C(since), in seconds."""
        _status, output, errors = self.run([self._engine, "logs", "--since", str(int(since)), "--tail", LOG_LINES, self._made.unit])
        return output + errors

    def _given_up(self):
        found = self._inspect()
        if found.get("ExitCode") and (not found.get("Running") or found.get("Restarting")):
            raise InfraError("the server does not become healthy", self._made.unit, f"it ended with exit status {found['ExitCode']}")

    def _inspect(self):
        """The state of the container, {} where there is none."""
        status, output, _errors = self.run([self._engine, "container", "inspect", "--format", "{{json .State}}", self._made.unit])
        try:
            value = json.loads(output) if status == 0 else {}
        except ValueError:
            value = {}
        return value if isinstance(value, dict) else {}

    def _compose(self, *arguments):
        return self.run([self._engine, "compose", "--file", self._file, *arguments])
