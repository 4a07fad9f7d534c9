# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting ends when the server is healthy, when time is up, and when its keeper gave it up; the log says why."""

from __future__ import annotations

import time

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._server import info, watch
from ansible_collections.prositronic.infra.plugins.module_utils._server.client import Client
from ansible_collections.prositronic.infra.plugins.module_utils._server.log.text import Text
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._server.log.logs import text

NOBODY = Client("http://127.0.0.1:1")


class Keeper:
    """Says what a test wants, and counts how often it is asked."""

    def __init__(self, log=None, why=None, before=""):
        self._log, self._why, self._before = log, why, before
        self.asked = 0

    def log(self):
        return self._log if self._log is None or isinstance(self._log, Text) else Text("a log", self._log.encode())

    def earlier(self):
        return self._before.encode()

    def gave_up(self):
        self.asked += 1
        return self._why


def message_of(keeper, seconds=0):
    with pytest.raises(watch.NotHealthy) as raised:
        watch.wait(NOBODY, seconds, keeper)
    return str(raised.value), raised.value.log


def test_the_reason_of_the_log():
    message, log = message_of(Keeper(text("unknown_argument")))
    assert "not healthy" in message and message.endswith("Its log says: this llama-server does not know the argument --no-such-flag.")
    assert log["failure"] == "this llama-server does not know the argument --no-such-flag"


def test_a_keeper_that_gave_it_up_ends_the_waiting():
    began = time.monotonic()
    message, _log = message_of(Keeper(text("port_taken"), "llama.service failed"), 60)
    assert time.monotonic() - began < 5
    assert "the server does not run (got llama.service failed)" in message and "can't listen on 127.0.0.1 port 18090" in message


def test_a_start_that_has_no_reason_yet_and_one_before_it_that_has():
    message, log = message_of(Keeper("load_backend: loaded CPU backend from x\n", before=text("model_missing")))
    assert message.endswith("Its log says: the model /m/none.gguf can't be opened: No such file or directory.") and log["failure"] is None


@pytest.mark.parametrize("log, end", [
    (Text("a log", problem="it is for others only"), "Its log can't be read: it is for others only."),
    ("0.00.000.001 W srv x: odd\n", "Its log says: srv x: odd."),
    ("load_backend: loaded CPU backend from x\n", "Its log says: nothing that explains it."),
    (None, "a big model needs a longer wait."),
])  # fmt: skip
def test_what_is_said_without_a_reason(log, end):
    assert message_of(Keeper(log))[0].endswith(end)


def test_the_keeper_is_not_asked_at_every_attempt(monkeypatch):
    monkeypatch.setattr(info, "POLL_SECONDS", 0.02)
    keeper = Keeper()
    message_of(keeper, 1)
    assert keeper.asked == 1
