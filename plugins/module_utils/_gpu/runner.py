# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running a command with a time limit. Private: not an interface for other collections."""

from __future__ import annotations

import signal

TIMED_OUT = 124
CANNOT_RUN = 126


def time_limited(run_command, seconds):
    """A run(argv) -> (rc, out, err) around AnsibleModule.run_command that never raises and always ends.

    The command gets SIGKILL after C(seconds), but isn't waited for: nvidia-smi on a broken GPU
    hangs in the kernel, where no signal ends it and where timeout(1) would wait for it for ever.
    """

    def run(argv):
        started = []
        previous = signal.signal(signal.SIGALRM, _time_is_up)
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                return run_command(
                    argv,
                    environ_update={"LC_ALL": "C", "LANGUAGE": "C"},
                    errors="replace",
                    handle_exceptions=False,
                    before_communicate_callback=started.append,
                )
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeoutError:
            for process in started:
                process.kill()
            return TIMED_OUT, "", f"no answer within {seconds} s"
        except OSError as error:
            return CANNOT_RUN, "", str(error)
        finally:
            signal.signal(signal.SIGALRM, previous)

    return run


def _time_is_up(signum, frame):
    raise TimeoutError
