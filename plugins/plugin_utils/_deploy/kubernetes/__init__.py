# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One plan as the values of the Helm chart charts/llama-server. Private: not an interface for other collections.

  plans.py            a plan for each class of nodes, and which class a server is for
  multi_node_plan.py  a plan over several pods of one class
  options.py          the options of the filter helm_values
  gpu.py              how a pod asks for the plan's GPUs, and on which nodes it may be
  model_volume.py     where the model's files come from
  probes.py           how long a start may take, and when a server is taken for dead
  multi_node.py       the workers of a model that no node holds alone
  parts.py            what head and workers have alike
  merge.py            values of a user over those of the plan
  values.py           all of it as the chart's values
  releases.py         the releases of a server, one or one for each class
  owned.py            how the role tells its own objects from those of others
  objects.py          what is rendered, labelled; what is foreign, what is wanted no more

The chart renders every object, for helm, helmfile and the role alike; what it is told is decided here.
Standard library only; nothing here knows Ansible or asks a cluster.
"""
