# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parts of the values that head and workers have alike."""

from __future__ import annotations


def image_parts(image):
    """A reference as the chart has it: C(repository), C(tag) and C(digest)."""
    name, _at, digest = image.partition("@")
    repository, tag = name.rsplit(":", 1) if ":" in name.rpartition("/")[2] else (name, "")
    return {"repository": repository, "tag": tag, "digest": digest}


def affinity(expressions):
    """matchExpressions as the affinity of a pod."""
    if not expressions:
        return {}
    term = {"matchExpressions": expressions}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
