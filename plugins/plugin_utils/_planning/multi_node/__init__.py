# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One model on several nodes by llama.cpp's RPC: a head with llama-server, and workers whose devices ggml-rpc-server gives it. Private.

  wishes.py    which wishes of llama_plan hold here, and the network
  member.py    one node, and what of its memory may be used
  team.py      a head and its workers as one node: devices in llama.cpp's order
  chooser.py   context and layers for a team
  wire.py      what goes over the network for a token and for a micro-batch, and how long that takes
  estimate.py  the model of speed with the network in it
  choice.py    which nodes, and which of them is the head
  instead.py   the same model on one node, and a smaller quantization there
  workers.py   each worker: its layers, memory, arguments
  warnings.py  what should be known before it is used
  plan.py      all of it together

What is different about a device that is reached by RPC is in _memory/remote.py. docs/multi_node.md explains it to a person.
"""
