# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_report."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.report import report

DOCUMENTATION = r"""
name: llama_report
short_description: A plan as text for a person
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Shows what goes where, as bars of what is used against what is free, the context, the flags, why, what was not chosen, and what would help.
options:
  _input:
    description: The plan, as returned by P(prositronic.infra.llama_plan#filter).
    type: dict
    required: true
  question:
    description: The question that the server was asked.
    type: str
  answer:
    description: What it answered, as C(server.answer) of M(prositronic.infra.llama_server_info).
    type: dict
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the report of a plan
  ansible.builtin.copy:
    content: "{{ plan | prositronic.infra.llama_report }}\n"
    dest: /tmp/report.txt
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The report, lines without a line end behind the last.
  type: str
"""


@plain_filter
def llama_report(plan, question=None, answer=None):
    return report(plan, question, answer)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_report": llama_report}
