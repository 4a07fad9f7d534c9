# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One supervised server process: what should run, what runs, starting and stopping it.

Private: not an interface for other collections. The supervisor itself is a script on the node; it and this
file share two files in the instance's directory, command.json (written here) and state.json (written there).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._server import processes

# A file larger than this, a model, counts by its size and time of change instead of its content.
HASH_LIMIT_BYTES = 1024 * 1024
LOG_TAIL_LINES = 15
OWN_FILES = ("command.json", "state.json", "server.pid", "server.log", "server.log.1", "lock")
# Beyond the time the supervisor gives its command, before it is killed itself.
SUPERVISOR_GRACE_SECONDS = 5


@dataclass(frozen=True)
class Wanted:
    """What should run, and how. C(files) are the files whose change needs a restart."""

    command: tuple
    env: dict
    files: tuple
    stop_timeout: int
    supervisor: str
    ready_url: str | None = None
    ready_timeout: int = 300

    def __post_init__(self):
        if not self.command or not os.path.isabs(self.command[0]):
            raise InfraError("the program needs its full path", "command", got=shown(list(self.command)[:1]))
        for name, value in self.env.items():
            if not isinstance(value, str):
                raise InfraError("the value of an environment variable is not a string", f"env.{name}", shown(value), "a string in quotes")
        for name in ("stop_timeout", "ready_timeout"):
            if getattr(self, name) < 1:
                raise InfraError("too small", name, getattr(self, name), "at least 1 second")

    def content(self):
        """Everything that makes it another process, as a plain dictionary."""
        return {
            "command": list(self.command),
            "env": dict(sorted(self.env.items())),
            "files": {path: fingerprint(path) for path in sorted({*self.files, self.supervisor})},
            "stop_timeout": self.stop_timeout,
        }


def fingerprint(path):
    """A short text that changes with the file's content; C(missing) for none."""
    try:
        stat = os.stat(path)
        if stat.st_size > HASH_LIMIT_BYTES:
            return f"{stat.st_size} bytes of {stat.st_mtime_ns}"
        return "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        raise InfraError("the file can't be read", path, error.strerror) from None


def digest(content):
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Instance:
    """A server's directory on the node."""

    def __init__(self, directory):
        self.directory = Path(directory)

    def _read(self, name):
        """A JSON object of the directory; {} when there is none or it is damaged (then nothing is known to run)."""
        try:
            value = json.loads((self.directory / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def state(self):
        return self._read("state.json")

    def recorded(self):
        return self._read("command.json").get("content") or {}

    def supervisor_runs(self):
        state = self.state()
        return processes.runs(state.get("pid"), state.get("start_time"))

    def command_runs(self):
        """The command may outlive a supervisor that was killed, for a moment."""
        state = self.state()
        return processes.runs(state.get("child_pid"), state.get("child_start_time"))

    def pid(self):
        return self.state()["pid"] if self.supervisor_runs() else None

    def status(self):
        if self.supervisor_runs():
            return "started"
        return "stopped" if self.directory.is_dir() else "absent"

    def stop(self):
        """Returns when neither the supervisor nor its command runs."""
        state = self.state()
        seconds = self.recorded().get("stop_timeout", 30)
        processes.stop(state.get("pid"), state.get("start_time"), seconds + SUPERVISOR_GRACE_SECONDS)
        state = self.state()
        processes.stop(state.get("child_pid"), state.get("child_start_time"), seconds)
        # A supervisor that was killed could not remove it.
        (self.directory / "server.pid").unlink(missing_ok=True)

    def start(self, wanted, python, run_command):
        content = wanted.content()
        spec = {
            "schema": 1,
            "digest": digest(content),
            "content": content,
            "command": content["command"],
            "env": content["env"],
            "stop_timeout": wanted.stop_timeout,
        }
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write("command.json", json.dumps(spec, indent=1) + "\n")
        status, _output, errors = run_command([python, wanted.supervisor, str(self.directory)])
        if status != 0:
            raise InfraError("the supervisor did not start the server", str(self.directory), errors.strip() or f"exit status {status}")

    def _write(self, name, text):
        part = self.directory / f".{name}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
        part.replace(self.directory / name)

    def remove(self):
        """Remove the files of an instance, and its directory when nothing else is in it."""
        for name in OWN_FILES:
            (self.directory / name).unlink(missing_ok=True)
        try:
            self.directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            raise InfraError(
                "the directory holds files that are not the server's, and is kept",
                str(self.directory),
                ", ".join(sorted(entry.name for entry in self.directory.iterdir())),
                fix="Remove them, or choose another directory.",
            ) from None

    def check_given_up(self):
        """InfraError when the supervisor gave the command up, with its reason and the log's last lines."""
        if self.supervisor_runs():
            return
        reason = self.state().get("reason") or "the supervisor does not run"
        raise InfraError("the server does not run", str(self.directory), reason, fix="Its log ends with:\n" + self.log_tail())

    def log_tail(self):
        try:
            text = (self.directory / "server.log").read_bytes()[-16384:].decode("utf-8", "replace")
        except OSError:
            return "(no log)"
        # Only of the last start: what is older did not end the server.
        last = text.rpartition("supervisor: started process")[2]
        return "\n".join(last.splitlines()[1:][-LOG_TAIL_LINES:])
