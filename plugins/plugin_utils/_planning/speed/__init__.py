# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How fast a placement is: one model of speed, for the choice between placements and for what the plan tells. Private.

  work.py        what a token reads and computes, and where
  rates.py       how fast memories, buses and cores are: what the node says, and how much of that llama.cpp reaches
  phases.py      the seconds of one generated token and of one micro-batch of a prompt, by what they go to
  throughput.py  both as the plan tells them

docs/speed.md says what is modelled and what isn't, and compares it with measurements.
"""
