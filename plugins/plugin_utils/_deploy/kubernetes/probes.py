# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a start may take, and when a server is taken for dead.

GET /health is 503 while the model is loaded and 200 from then on, and needs no key. llama-server answers it while it works on prompts; but a process that
waits for its disk may not, so it is given two minutes before it is killed: what it has loaded would have to be loaded again.
"""

from __future__ import annotations

PERIOD_SECONDS = 10
READINESS = {"periodSeconds": PERIOD_SECONDS, "failureThreshold": 3, "timeoutSeconds": 5}
LIVENESS = {"periodSeconds": 15, "failureThreshold": 8, "timeoutSeconds": 10}


def probes(start_timeout_seconds):
    """The chart's C(probes) for a start of at most so many seconds."""
    startup = {"periodSeconds": PERIOD_SECONDS, "failureThreshold": -(-start_timeout_seconds // PERIOD_SECONDS), "timeoutSeconds": 5}
    return {"startup": startup, "readiness": dict(READINESS), "liveness": dict(LIVENESS)}
