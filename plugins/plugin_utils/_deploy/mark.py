# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The first line of each file, by which the role knows its own files again."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._service.files import MARK


def marked(text):
    return f"{MARK}: changes here are undone by its role llama_server.\n{text}"
