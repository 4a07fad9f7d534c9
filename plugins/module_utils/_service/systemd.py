# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A unit of systemd: of the system, or of the user that runs this."""

from __future__ import annotations

import os
import pwd

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._service.images import RUNS_ANOTHER, Images

LOG_LINES = 400
LINGER = "/var/lib/systemd/linger"


class Unit:
    """C(run): (argv, environment) -> (status, output, errors)."""

    def __init__(self, made, run):
        self._made = made
        self._run = run
        self._service = f"{made.unit}.service"
        self._user = made.scope == "user"
        self._environment = {"XDG_RUNTIME_DIR": f"/run/user/{os.geteuid()}"} if self._user else {}
        self.images = Images("podman", self.run) if made.target == "quadlet" else None

    def run(self, argv):
        return self._run(argv, self._environment)

    def require(self, check_mode):
        """Raises InfraError where the node lacks what runs it."""
        status, _output, errors = self._systemctl("show", "--property=Version", "--value")
        if status != 0:
            fix = "A user has one while logged in, or always after 'loginctl enable-linger' as root" if self._user else None
            raise InfraError("no systemd answers", self._service, shown(errors.strip()), fix=fix)
        if self.images is not None and self.run(["podman", "--version"])[0] != 0:
            raise InfraError("there is no Podman on the node", self._service, fix="Install podman, or choose another target")
        if self._made.target == "systemd" and not check_mode and not os.access(self._made.program or "", os.X_OK):
            raise InfraError("there is no such program on the node", self._made.program, fix="Install it, or say package or archive_url")

    def can_check(self):
        """systemd-analyze wants the program to be there."""
        return self._made.target != "systemd" or os.access(self._made.program or "", os.X_OK)

    def problems(self):
        """Why it has to be started, or else be changed, apart from its files: sentences."""
        found = self._show()
        reasons = []
        if found.get("ActiveState") != "active":
            state = f"{found.get('ActiveState')} ({found.get('SubState')})"
            reasons.append("it does not run" if found.get("ActiveState") in (None, "inactive") else f"it does not run: {state}")
        elif self.images is not None and self.images.runs_another(self._made.unit, self._made.image):
            reasons.append(RUNS_ANOTHER)
        if self._made.target == "systemd" and found.get("UnitFileState") not in ("enabled", "enabled-runtime"):
            reasons.append("it is not enabled")
        if found.get("NeedDaemonReload") == "yes":
            reasons.append("systemd has not read its unit")
        if self._user and not self._lingers():
            reasons.append("its user does not linger")
        return reasons

    def exists(self):
        return self._show().get("LoadState") == "loaded"

    def start(self, reload, restart):
        """Returns when it is ready. Raises InfraError when it did not get there."""
        if self._user and not self._lingers():
            self._must(["loginctl", "enable-linger"], "As root: loginctl enable-linger " + self._account())
        if reload or self._show().get("NeedDaemonReload") == "yes":
            self._must(self._argv("daemon-reload"))
        if self._made.target == "systemd":
            self._must(self._argv("enable", "--quiet", self._service))
        self._systemctl("reset-failed", self._service)
        status, output, errors = self._systemctl("restart" if restart else "start", self._service)
        if status != 0:
            raise InfraError("the server does not become healthy", self._service, shown(errors.strip() or output.strip()))

    def stop(self):
        if self._made.target == "systemd":
            self._systemctl("disable", "--quiet", self._service)
        status, output, errors = self._systemctl("stop", self._service)
        if status != 0 and self.exists():
            raise InfraError("the server can't be stopped", self._service, shown(errors.strip() or output.strip()))
        self._systemctl("reset-failed", self._service)
        if self._made.target == "quadlet" and not self._user:
            # Podman's unit of the network goes on being active when its file is gone.
            self._systemctl("stop", f"{self._made.unit}-network.service")

    def removed(self):
        """After its files are gone."""
        self._must(self._argv("daemon-reload"))
        if self._made.target == "quadlet" and not self._user:
            self.run(["podman", "network", "rm", "--force", self._made.unit])

    def log(self, since):
        """What the unit, systemd about it and the container have logged since C(since), in seconds.

        The unit's own last start is not enough: systemd may have begun another one by now.
        """
        of, about = ("_SYSTEMD_USER_UNIT", "USER_UNIT") if self._user else ("_SYSTEMD_UNIT", "UNIT")
        matches = [f"{of}={self._service}", "+", f"{about}={self._service}", "+", f"CONTAINER_NAME={self._made.unit}"]
        argv = ["journalctl", *(["--user"] if self._user else []), f"--since=@{int(since)}", f"--lines={LOG_LINES}", "--no-pager", "--output=cat"]
        return self.run([*argv, *matches])[1]

    def _show(self):
        names = "ActiveState,SubState,LoadState,NeedDaemonReload,UnitFileState,InvocationID"
        _status, output, _errors = self._systemctl("show", f"--property={names}", self._service)
        return dict(line.partition("=")[::2] for line in output.splitlines())

    def _argv(self, *arguments):
        return ["systemctl", *(["--user"] if self._user else []), *arguments]

    def _systemctl(self, *arguments):
        return self.run(self._argv(*arguments))

    def _must(self, argv, fix=None):
        status, output, errors = self.run(argv)
        if status != 0:
            raise InfraError(f"'{' '.join(argv)}' failed", self._service, shown(errors.strip() or output.strip()), fix=fix)

    def _account(self):
        return pwd.getpwuid(os.geteuid()).pw_name

    def _lingers(self):
        return os.path.exists(os.path.join(LINGER, self._account()))
