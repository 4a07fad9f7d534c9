# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where things lie in a container."""

from __future__ import annotations

import posixpath

MODELS = "/models"
TEMPORARY = "/tmp:mode=1777"
"""Said, as else it has the mode of the image's own directory."""


def inside(made):
    """The model as the server in the container sees it."""
    return posixpath.join(MODELS, posixpath.basename(made.model))
