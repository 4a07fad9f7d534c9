# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama.cpp allocates: each of its memory rules in one place. Private: not an interface for other collections.

  devices.py   the devices asked about
  remote.py    what is different about one that is reached by RPC
  settings.py  llama-server's options and what llama.cpp makes of those not given
  layout.py    which device holds which block
  weights.py   the bytes of the tensors there
  cache/       the bytes of the KV cache, a file per kind of attention
  compute.py   the bytes of the compute buffers
  transfers.py what is copied from one device to another
  memory.py    all of it together
  host/        what the server keeps in RAM beside its buffers there

The rules are those of one llama.cpp build, named in LLAMA_CPP. Standard library only; nothing here knows Ansible.
"""

from __future__ import annotations

LLAMA_CPP = {"commit": "0c1e57098", "build": 11312, "ggml": "0.25.3"}
MIB = 1024 * 1024
