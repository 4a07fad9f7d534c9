# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of an inventory in the format that is asked for."""

from __future__ import annotations

import json

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, nearest, shown

from .markdown import markdown
from .overview import overview
from .page import page
from .text import text

FORMATS = {
    "text": text,
    "markdown": markdown,
    "html": page,
    "json": lambda found: json.dumps(found, indent=2, ensure_ascii=False),
}
ENDINGS = {".txt": "text", ".md": "markdown", ".html": "html", ".json": "json"}


def plans_report(plans, form="text", others=None, errors=None):
    """The report, without a line end; C(form) is a format, or the name of a file whose ending says it.

    Raises InfraError for a format or an ending that is not known, and as overview() does.
    """
    return FORMATS[format_of(form)](overview(plans, others, errors))


def format_of(form):
    """The name of a format, for itself or for a file's name."""
    if isinstance(form, str):
        if form in FORMATS:
            return form
        for ending, name in ENDINGS.items():
            if form.endswith(ending) and len(form) > len(ending):
                return name
        if "." in form:
            raise InfraError("the ending says no format", "format", shown(form), f"a name that ends in {', '.join(ENDINGS)}")
    raise InfraError("not a format", "format", shown(form), " or ".join(FORMATS), nearest(form, FORMATS))
