# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep one server process running, for machines without systemd or a container engine.

`supervisor.py DIRECTORY` reads DIRECTORY/command.json, goes to the background, runs the command and
returns when the command was started. In the directory it keeps

  server.pid   its own process id, while it runs
  state.json   what runs: process ids with their start times, the digest it was started with, restarts
  server.log   everything the command writes, and a line for each start and end; server.log.1 is older
  lock         held while it runs, so that there is one supervisor per directory

A command that ends is started again after a pause that doubles. One that ends quickly too many times in
a row, or with exit status 2 (it refused its arguments), is given up, and state.json says why.
SIGTERM ends the command, waits for it and removes the pid file. Needs Linux and Python 3.9, nothing else.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

LOG_LIMIT_BYTES = 10 * 1024 * 1024
USAGE_ERROR = 2
PR_SET_PDEATHSIG = 1


def start_time(pid):
    """A process's start in clock ticks since boot: with the pid, its identity, as pids are reused."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    # The command's name, in brackets, may hold blanks and brackets: count from the last bracket.
    return int(stat.rpartition(")")[2].split()[19])


def write_atomically(path, text):
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


class Log:
    """The log file; when it is full it becomes the older one, and the one before that goes."""

    def __init__(self, path, limit):
        self._path = path
        self._limit = limit
        self._open()

    def _open(self):
        self._stream = open(self._path, "ab", buffering=0)  # noqa: SIM115 - open as long as the process lives

    def write(self, data):
        if self._stream.tell() + len(data) > self._limit and self._stream.tell():
            self._stream.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._open()
        self._stream.write(data)

    def say(self, message):
        self.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} supervisor: {message}\n".encode())


class Supervisor:
    """One command, kept running until SIGTERM."""

    def __init__(self, directory, spec, wakeup):
        self._directory = directory
        self._spec = spec
        self._wakeup = wakeup
        self._log = Log(directory / "server.log", spec.get("log_limit_bytes", LOG_LIMIT_BYTES))
        self._child = None
        self._stopping = False
        self._ends = 0
        self._quick_ends = 0
        self._reason = None
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_unused: None)

    def _on_stop(self, *_unused):
        self._stopping = True

    def start(self):
        """Start the command; OSError when there is no such program."""
        libc = ctypes.CDLL(None)
        me = os.getpid()

        def die_with_supervisor():
            # A supervisor that was killed can't stop its command: the kernel does it.
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != me:
                os._exit(1)

        self._started_at = time.monotonic()
        self._child = subprocess.Popen(
            self._spec["command"],
            env={**os.environ, **self._spec["env"]},
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_supervisor,
        )
        os.set_blocking(self._child.stdout.fileno(), False)
        self._log.say(f"started process {self._child.pid}")
        self._save("running")

    def run(self):
        """Until told to stop (0) or until the command is given up (1)."""
        while True:
            self._watch()
            if self._stopping:
                self._log.say("stopped")
                self._child = None
                self._save("stopped")
                return 0
            pause = self._after_end(self._child.returncode)
            self._child = None
            if pause is None:
                self._log.say(f"given up: {self._reason}")
                self._save("gave_up")
                return 1
            self._log.say(f"{self._reason}; next start in {pause} seconds")
            self._save("waiting")
            deadline = time.monotonic() + pause
            while not self._stopping and time.monotonic() < deadline:
                self._wait(deadline - time.monotonic(), [])
            if self._stopping:
                self._save("stopped")
                return 0
            try:
                self.start()
            except OSError as error:
                self._reason = f"the command can't be started again ({error})"
                self._log.say(f"given up: {self._reason}")
                self._save("gave_up")
                return 1

    def _after_end(self, status):
        """The pause before the next start, None to give up."""
        self._ends += 1
        lived = time.monotonic() - self._started_at
        self._quick_ends = self._quick_ends + 1 if lived < self._spec.get("quick_seconds", 60) else 0
        how = f"exit status {status}" if status >= 0 else f"signal {-status}"
        self._reason = f"the command ended with {how} after {lived:.0f} seconds"
        if status == USAGE_ERROR:
            return None
        limit = self._spec.get("quick_limit", 5)
        if self._quick_ends >= limit:
            self._reason += f", the {limit}th quick end in a row"
            return None
        return self._spec.get("pause_seconds", 1) * 2 ** max(0, self._quick_ends - 1)

    def _watch(self):
        """Write the command's output to the log until it ends; pass on a request to stop."""
        kill_at = None
        while self._child.poll() is None:
            if self._stopping and kill_at is None:
                self._log.say(f"stopping process {self._child.pid}")
                self._child.terminate()
                kill_at = time.monotonic() + self._spec["stop_timeout"]
            if kill_at is not None and time.monotonic() >= kill_at:
                self._log.say(f"process {self._child.pid} did not stop in {self._spec['stop_timeout']} seconds and is killed")
                self._child.kill()
                kill_at = float("inf")
            self._wait(1 if kill_at is not None else None, [self._child.stdout])
            self._copy_output()
        self._copy_output()
        self._child.stdout.close()

    def _wait(self, seconds, streams):
        """Until there is output, a signal, or the time is over."""
        ready = select.select([self._wakeup, *[stream for stream in streams if not stream.closed]], [], [], seconds)[0]
        if self._wakeup in ready:
            os.read(self._wakeup, 4096)

    def _copy_output(self):
        while True:
            try:
                data = os.read(self._child.stdout.fileno(), 65536)
            except BlockingIOError:
                return
            if not data:
                # The command closed its output and still runs: there is nothing more to select on.
                if self._child.poll() is None:
                    time.sleep(0.1)
                return
            self._log.write(data)

    def _save(self, status):
        state = {
            "schema": 1,
            "status": status,
            "digest": self._spec["digest"],
            "pid": os.getpid(),
            "start_time": start_time(os.getpid()),
            "child_pid": None,
            "child_start_time": None,
            "ends": self._ends,
            "reason": self._reason,
        }
        if self._child is not None:
            state["child_pid"] = self._child.pid
            # A child that has already ended is a zombie until poll(), so its entry is still there.
            state["child_start_time"] = start_time(self._child.pid)
        write_atomically(self._directory / "state.json", json.dumps(state, indent=1) + "\n")


def detach():
    """Go to the background. Returns, in the background process only, a pipe to say how the start went."""
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as stream:
            message = stream.read()
        if message != "started":
            print(f"supervisor.py: {message or 'the supervisor ended before it started the command'}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    os.close(reader)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    os.chdir("/")
    return writer


def main(directory):
    spec = json.loads((directory / "command.json").read_text(encoding="utf-8"))
    report = detach()
    message = "started"
    try:
        # Held until this process ends; not inherited by the command.
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(f"another supervisor runs for {directory}") from None
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        wakeup, wakeup_writer = os.pipe()
        os.set_blocking(wakeup_writer, False)
        signal.set_wakeup_fd(wakeup_writer, warn_on_full_buffer=False)
        supervisor = Supervisor(directory, spec, wakeup)
        supervisor.start()
        write_atomically(directory / "server.pid", f"{os.getpid()}\n")
    except OSError as error:
        message = str(error)
        return 1
    finally:
        os.write(report, message.encode())
        os.close(report)
    try:
        return supervisor.run()
    finally:
        (directory / "server.pid").unlink(missing_ok=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: supervisor.py DIRECTORY")
    sys.exit(main(Path(sys.argv[1]).absolute()))
