# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known of hardware without asking it. Private: not an interface for other collections.

  gpu_model.py           the shape of a row
  geforce.py, ...        the rows, a file per family: one line per GPU
  gpu_models.py          all of them, and the look-up by id and by the driver's name
  link.py                the bus between a GPU and the RAM
  ram.py                 the bandwidth of RAM from its type and channels
  working_set.py         how much of one memory a GPU that shares it may use
  overhead.py            what a backend takes on a GPU outside llama.cpp's buffers
  page.py                the table as docs/gpus.md

Standard library only; nothing here knows Ansible, llama.cpp's memory rules or the planner.
"""
