# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A process of its own, which goes on when the one that started it ends, and with it the connection from the controller.

It is forked and not started: so the token is neither in arguments nor in an environment nor in a file, and the module's
code, which Ansible removes, is already in memory.
"""

from __future__ import annotations

import os
import signal


def detach(work, kept_handle):
    """Calls C(work) in a new process without terminal, with C(kept_handle) as the only open file. Returns at once."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if os.fork() == 0:
            _close_others(kept_handle)
            os.chdir("/")
            os.umask(0o022)
            work()
    finally:
        # Neither the module's clean-up nor its buffers are this process's business.
        os._exit(0)


def _close_others(kept_handle):
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, kept_handle)
    os.closerange(kept_handle + 1, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
