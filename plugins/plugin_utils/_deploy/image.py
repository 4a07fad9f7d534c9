# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image of a server: by digest, or by a tag that stays what it is."""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
BUILD_TAG = re.compile(r":[\w.-]*-b(\d{1,8})$", re.ASCII)
MOVING = re.compile(r"latest|(?:server|full|light)(?:-(?!b\d)[a-z]+\d*)?")
"""Tags that are made anew: llama.cpp's own move daily (.github/workflows/docker.yml)."""


def build_of(image):
    """The build that a tag of llama.cpp names, None for others."""
    found = BUILD_TAG.search(image.partition("@")[0])
    return int(found[1]) if found else None


def check_pinned(image, where):
    """A warning, or None. Raises InfraError for a reference that can be another image tomorrow."""
    if DIGEST.search(image):
        return None
    if "@" in image:
        raise InfraError("not a digest", where, shown(image), "@sha256: and 64 hexadecimal digits")
    tag = image.rpartition("/")[2].partition(":")[2]
    if not tag or MOVING.fullmatch(tag):
        raise InfraError(
            "an image that is not pinned", where, shown(image), "a digest, or a tag with a build",
            "Say the image as name@sha256:..., or as llama.cpp's own with -b and the number of a build",
        )  # fmt: skip
    if build_of(image) is None:
        return f"The image {image} is pinned by its tag only: whoever can push it can change what runs. A digest can't be changed."
    return None


def check_qualified(image, where):
    """Raises InfraError for a reference without a registry: Podman would ask, or search."""
    first = image.split("/")[0]
    if "/" not in image or not ("." in first or ":" in first or first == "localhost"):
        raise InfraError("an image without its registry", where, shown(image), "a whole reference such as ghcr.io/ggml-org/llama.cpp:server-b11312")
