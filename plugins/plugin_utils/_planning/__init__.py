# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a model and a node to a plan. Private: not an interface for other collections.

  node.py        what a node has
  described_node.py  a machine that isn't here, in a few words
  chosen_gpus.py only the GPUs that the user names
  wishes.py      what the user asks for
  budget.py      how much of each memory may be used, and what an allocation lacks
  objective.py   which of two choices is the better one
  chooser.py     context, settings and placement together
    context.py     how much context is wanted, and how much fits
    estimate.py    how long a request takes
      speed/         the model of speed
    probe.py       the questions to the memory rules
    placement.py   what goes to which GPU, for a given context
      search.py      the search for it
      sizes.py       what each layer weighs, and what of it may stay in RAM
      spread.py      layers shared out over GPUs
      apart.py       what stays in RAM, and how llama-server is told
    fixed_placement.py  the same where the user fixed part of it
  alternatives.py  what was not chosen, and why
  would_help.py  what is missing, and what would help
  load_mode.py   how the weights come into memory
  host_memory.py how many context checkpoints, how large a prompt cache, and all that is in RAM
  backend.py     the build of llama.cpp and the GPUs that it drives
  reasons.py     why the plan is as it is
  plan.py        all of it together
  server_args.py the plan as llama-server's arguments
  report.py      the plan as text for a person
  inventory/     many plans side by side: nodes by models, as text, Markdown, HTML and JSON
  quantization.py  of several quantizations the best
  inputs.py      what a plan was made from
  model_files.py where a model's files lie

Standard library only; nothing here knows Ansible.
"""
