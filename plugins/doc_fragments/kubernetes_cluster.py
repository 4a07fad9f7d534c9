# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation shared by the modules that ask a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """How the cluster is reached."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - The file that tells how the cluster is reached. By default the current one, as C(kubectl) has it, and in a pod the pod's own cluster.
      - The variable E(K8S_AUTH_KUBECONFIG) of the environment is read as well.
    type: path
  context:
    description:
      - The context in O(kubeconfig), where it is not the current one.
      - The variable E(K8S_AUTH_CONTEXT) of the environment is read as well.
    type: str
requirements:
  - kubernetes >= 24.2.0 (Python)
"""
