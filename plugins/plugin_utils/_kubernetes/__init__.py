# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node has, from what a Kubernetes cluster says of it. Private: not an interface for other collections.

  quantity.py      65841916Ki as bytes
  node_object.py   a Node object, checked
  found.py         what a reader found: devices, driver, problems; the shape of a device
  known.py         what the table of GPUs adds to a product that labels name
  nvidia.py        labels of GPU Feature Discovery, MIG and sharing included
  gke.py           labels of Google's clusters, which have no GPU Feature Discovery
  amd.py           labels of AMD's node labeller
  intel.py         labels of Intel's device plugin and its NFD rules
  slices.py        ResourceSlices, and the devices in them
  nvidia_slices.py those of NVIDIA's DRA driver
  amd_slices.py    those of AMD's
  intel_slices.py  those of Intel's
  host.py          RAM, processor and system
  facts.py         all of it in the shape of the facts of gpu_facts

Standard library only; nothing here knows Ansible or the planner.
"""
