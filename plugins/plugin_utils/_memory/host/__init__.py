# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama-server keeps in RAM beside the buffers of the host, each rule in one place. Private.

weights.py      weights in RAM by load mode: memory of its own, or pages of the file
output.py       the rows of logits that a context hands out
vocabulary.py   tokens and merges
checkpoints.py  states of a prompt that can't be taken back
loading.py      what is needed only while weights are loaded
process.py      the program itself
ram.py          all of it together: what it takes to start, and to run without paging
"""
