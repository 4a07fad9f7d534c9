# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When to try again, and when to give up."""

from __future__ import annotations

import email.utils
import time

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.transport import Refused, Unreachable

_LONGEST_PAUSE_SECONDS = 60
# A server may ask for more, but not for hours.
_LONGEST_ASKED_SECONDS = 900


class Patience:
    """C(retries) failures in a row without a new byte in between are borne."""

    def __init__(self, retries, sleep=time.sleep, say=None):
        self._retries = retries
        self._sleep = sleep
        self._say = say
        self._failures = 0
        self._best = 0

    def calls(self, function, *arguments):
        while True:
            try:
                result = function(*arguments)
                self._failures = 0
                return result
            except (Refused, Unreachable) as error:
                self.bear(error)

    def bear(self, error, reached=0):
        """Waits, or raises C(error). C(reached): how far the file has come."""
        if reached > self._best:
            self._best, self._failures = reached, 0
        self._failures += 1
        if self._failures > self._retries or not _may_pass(error):
            raise error
        pause = pause_seconds(getattr(error, "retry_after", None), self._failures)
        if self._say is not None:
            self._say(f"trying again in {pause:.0f} s: {error}")
        self._sleep(pause)


def pause_seconds(retry_after, failures):
    """1, 2, 4 … 60 seconds, or what the server asks for in Retry-After: seconds, or a date."""
    pause = float(min(2 ** (failures - 1), _LONGEST_PAUSE_SECONDS))
    if retry_after:
        try:
            asked = float(retry_after)
        except ValueError:
            date = email.utils.parsedate_tz(retry_after)
            asked = email.utils.mktime_tz(date) - time.time() if date else 0.0
        if asked > 0:
            pause = max(pause, min(asked, _LONGEST_ASKED_SECONDS))
    return pause


def _may_pass(error):
    return not isinstance(error, Refused) or error.status in (408, 425, 429) or error.status >= 500
