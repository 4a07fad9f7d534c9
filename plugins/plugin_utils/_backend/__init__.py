# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which build of llama.cpp runs on a node's GPUs. Private: not an interface for other collections.

  kinds.py     the backends: whose GPUs each drives, and how it calls them
  images.py    the table of container images: tag, platforms, CUDA or ROCm in it
  nvidia.py    CUDA 13, CUDA 12 or Vulkan: compute capability and the driver against the image
  choice.py    the backend, the image and the reason for them
  security.py  the least build in which what a server is told has no hole that is known

Standard library only; nothing here knows Ansible, the memory rules or the planner.
"""
