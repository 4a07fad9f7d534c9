# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the property tests run: the same few examples each time, or as many new ones as INFRA_FUZZ_EXAMPLES says."""

from __future__ import annotations

import os
import pathlib
import tempfile

from hypothesis import HealthCheck, configuration, given, settings
from hypothesis import strategies as st

# Nothing is written into the checkout.
configuration.set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir(), "prositronic-infra-hypothesis"))

WANTED = int(os.environ.get("INFRA_FUZZ_EXAMPLES", "0"))


def by_chance(examples):
    """A test that is given a random.Random, C(examples) times; hypothesis finds the least chance with which it fails."""

    def decorate(test):
        run = settings(
            max_examples=WANTED or examples,
            derandomize=not WANTED,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        return run(given(st.randoms(use_true_random=False))(test))

    return decorate
