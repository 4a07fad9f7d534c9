# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a start failed, as one sentence."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._service.reason import read, reason

# A Quadlet on Podman 5.4, systemd 257.
ENDED = """\
Starting llama-server-chat.service - llama-server chat...
2026-11-26 08:52:37.851042287 +0000 UTC m=+2.387252406 container init d8e966 (image=localhost/llama.cpp:server-vulkan-b11670, name=llama-server-chat)
error: this build is broken, for the tests
2026-11-26 08:52:38.975492131 +0000 UTC m=+1.074064247 container died d8e966 (image=localhost/llama.cpp:server-vulkan-b11670, name=llama-server-chat)
llama-server-chat.service: Main process exited, code=exited, status=1/FAILURE
llama-server-chat.service: Failed with result 'exit-code'.
Failed to start llama-server-chat.service - llama-server chat.
"""


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ("error: invalid argument: --nonsense\n" + ENDED, "this llama-server does not know the argument --nonsense"),
        (ENDED, "its log ends with: error: this build is broken, for the tests"),
        (ENDED.replace("error: this build is broken, for the tests\n", "").partition("llama-server-chat.service: Failed")[0],
         "its log ends with: 2026-11-26 08:52:38.975492131 +0000 UTC m=+1.074064247 container died d8e966 (image=localhost/llama.cpp:server-vulkan-b11670, "
         "name=llama-server-chat) | llama-server-chat.service: Main process exited, code=exited, status=1/FAILURE"),
        ("", None),
    ],
)  # fmt: skip
def test_what_the_server_said_comes_before_what_is_said_of_it(log, why):
    assert reason(read("llama-server-chat", log), log) == why
