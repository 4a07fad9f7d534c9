# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running the programs of a node within one time limit. Private: not an interface for other collections."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time

TIMED_OUT = 124
CANNOT_RUN = 126
NOT_FOUND = 127
_PAUSE = 0.005


class Programs:
    """The programs of this machine. C(seconds) is the limit for all of them together; C(find) gives the path of a program or None.

    Those that are started early run beside one another, so a node costs the time of the slowest and not of all.
    A program that isn't done in time gets SIGKILL but isn't waited for: nvidia-smi on a broken GPU hangs in the kernel,
    where no signal ends it. Its output goes to a file, so nothing that it started can hold a pipe open.
    """

    def __init__(self, find, seconds):
        self._find = find
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._paths = {}
        self._started = {}

    def has(self, name):
        """Whether there is a program C(name)."""
        if name not in self._paths:
            self._paths[name] = self._find(name)
        return self._paths[name] is not None

    def start(self, name, *arguments):
        """Begin what run() will be asked for later. Nothing where there is no such program."""
        command = (name, *arguments)
        if command in self._started or not self.has(name):
            return
        self._started[command] = _begin([self._paths[name], *arguments])

    def run(self, name, *arguments):
        """(rc, out, err); never raises."""
        if not self.has(name):
            return NOT_FOUND, "", f"{name} is not installed"
        self.start(name, *arguments)
        process, out, err = self._started.pop((name, *arguments))
        if process is None:
            return CANNOT_RUN, "", err
        try:
            rc = process.wait(max(0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill(process)
            return TIMED_OUT, "", f"no answer within {self._seconds} s"
        return rc, _text(out), _text(err)

    def call(self, function, *arguments):
        """(rc, out, err) as of run(), of a function that returns a text: in a process of its own, for what it calls may hang in the kernel."""
        out = tempfile.TemporaryFile()  # noqa: SIM115 -- _text() closes it
        try:
            process = os.fork()
        except OSError as error:
            return CANNOT_RUN, "", str(error)
        if process == 0:
            _child(function, arguments, out)
        while True:
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                # As of subprocess: a signal is a negative number.
                return os.waitstatus_to_exitcode(status), _text(out), ""
            if time.monotonic() >= self._deadline:
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)
                return TIMED_OUT, "", f"no answer within {self._seconds} s"
            time.sleep(_PAUSE)

    def stop(self):
        """End what was started and not asked for."""
        for process, _out, _err in self._started.values():
            if process is not None and process.poll() is None:
                _kill(process)
        self._started.clear()


def _child(function, arguments, out):
    """Never returns: what this process was before must not go on in it a second time."""
    code = CANNOT_RUN
    try:
        # What a library prints isn't the module's answer.
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        out.write(function(*arguments).encode())
        out.flush()
        code = 0
    finally:
        os._exit(code)


def _kill(process):
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _begin(command):
    """(process, file of its output, file of its errors), or (None, None, why not)."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 -- _text() closes them
    environment = dict(os.environ, LC_ALL="C", LANGUAGE="C")
    try:
        # AnsibleModule.run_command waits for what it killed, and runs one program at a time.
        # pylint: disable-next=ansible-bad-function
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, start_new_session=True)
    except OSError as error:
        return None, None, str(error)
    return process, out, err


def _text(file):
    with file:
        file.seek(0)
        return file.read().decode("utf-8", "replace")
