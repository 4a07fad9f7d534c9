# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a model and a node to a plan. Private: not an interface for other collections.

  node.py        what a node has
  described_node.py  a machine that isn't here, in a few words
  wishes.py      what the user asks for
  budget.py      how much of each memory may be used, and what an allocation lacks
  placement.py   how many layers go where, for a given context
  context.py     how much context, and with it the placement
  backend.py     which build of llama.cpp and which image
  throughput.py  bytes read per token
  plan.py        all of it together, with reasons
  server_args.py the plan as llama-server's arguments
  report.py      the plan as text for a person

Standard library only; nothing here knows Ansible.
"""
