# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking whether the server is ready: GET /health is 503 while the model is loaded and 200 from then on, and needs no key.

The HEALTHCHECK of llama.cpp's images asks port 8080 by HTTP and has no start period; and Podman keeps none of an image in OCI format.
So each target has its own. Only the status counts, so a certificate is not checked: it is made for another name than the loopback address.
"""

from __future__ import annotations

INTERVAL_SECONDS = 15
START_INTERVAL_SECONDS = 2
"""Until it is ready for the first time: the start ends with that."""

TIMEOUT_SECONDS = 10
RETRIES = 4
"""A server that doesn't answer for a minute is taken for dead. llama-server answers while it works on prompts: HTTP has threads of its own."""


def curl(url, tls):
    """The words of a command that succeeds when the server is ready. curl is in llama.cpp's images (.devops/*.Dockerfile)."""
    return ["curl", "--fail", "--silent", "--max-time", str(TIMEOUT_SECONDS // 2), *(["--insecure"] if tls else []), "--output", "/dev/null", f"{url}/health"]


def wait_script(command):
    """A shell's script that ends when the server is ready, and fails when its process, which systemd names MAINPID, is gone.

    C(command): words without anything that a shell would read.
    """
    return f'until {" ".join(command)}; do kill -0 "$MAINPID" || exit 1; sleep 2; done'
