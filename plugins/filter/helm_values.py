# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter helm_values."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes.values import helm_values as values
from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter

DOCUMENTATION = r"""
name: helm_values
short_description: A plan as values of the Helm chart llama-server
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Makes the values with which the chart C(charts/llama-server) of this collection runs a plan, for C(helm install -f) and as C(--state-values-file) of
    helmfile alike. Everything that a plan decides is in them; the block C(plan) has the whole plan, its digest and the reasons.
  - The pod asks for the GPUs of the plan and only comes to nodes that have such, its memory is what the plan counts, and its probes wait as long as
    the model may take to load.
  - Without an API key the server listens on the loopback address of its pod only, and is reached with C(kubectl port-forward).
  - Refused are a plan that does not fit, an image that is not pinned, a flag that the build is not known to have, a build with a hole that is known, and
    GPUs of two kinds, which no pod can ask for by one resource.
options:
  _input:
    description: The plan, as returned by P(prositronic.infra.llama_plan#filter).
    type: dict
    required: true
  node_class:
    description:
      - The class of P(prositronic.infra.kubernetes_node_classes#filter) that the plan was made for. Without it the nodes are chosen by the labels that
        NVIDIA's, AMD's and Intel's labellers give nodes with the plan's GPUs.
    type: dict
  model:
    description: Where the pod gets the model from. By default it is downloaded, where the plan was made from an address.
    type: dict
    suboptions:
      source:
        description:
          - V(download) to a claim before the server starts, V(claim) for a PersistentVolumeClaim that has it, V(image) for an OCI image as a volume
            (Kubernetes 1.35), V(hostPath) for a directory of each node, which the Pod Security Standard C(restricted) forbids.
        type: str
        choices: [download, claim, image, hostPath]
      file:
        description: The first file, below the top of the volume. By default as the plan's file is called.
        type: str
      files:
        description: For V(download) each file, with C(url), and C(name), C(size_bytes) and C(sha256) where they are known. By default the plan's.
        type: list
        elements: dict
      allow_unverified:
        description: For V(download), whether to take a file whose SHA-256 is neither given nor told by its server.
        type: bool
        default: false
      token_secret:
        description: For V(download) the name of a Secret whose key C(token) is a Hugging Face token. Only the download sees it.
        type: str
      claim_name:
        description: The name of a claim that exists. Needed for V(claim), possible for V(download).
        type: str
      sub_path:
        description: A directory of the volume instead of its top.
        type: str
      size:
        description: The size of the claim that V(download) makes, as V(420Gi). By default what the files need.
        type: str
      storage_class:
        description: Its storage class. By default the cluster's own choice.
        type: str
      access_modes:
        description: Its access modes. By default V(ReadWriteOnce).
        type: list
        elements: str
      image:
        description: The image for V(image), pinned by its digest.
        type: str
      host_path:
        description: The directory for V(hostPath).
        type: str
  alias:
    description: The name under which the server offers the model. By default the model's.
    type: str
  replicas:
    description: How many servers.
    type: int
    default: 1
  kind:
    description: V(StatefulSet) gives each replica a claim of its own.
    type: str
    choices: [Deployment, StatefulSet]
    default: Deployment
  port:
    description: The port that the server listens on.
    type: int
    default: 8080
  api_key_secret:
    description: The name of a Secret whose key C(api-keys) has the keys that the server accepts, one in a line. With it other pods reach the server.
    type: str
  tls_secret:
    description: The name of a Secret of the type C(kubernetes.io/tls). Needs a build of llama.cpp with TLS.
    type: str
  metrics:
    description: Whether the server has C(/metrics) for Prometheus.
    type: bool
    default: false
  ui:
    description: Whether the server offers its page for a browser.
    type: bool
    default: false
  emit:
    description: V(pinned) or V(guided), as for P(prositronic.infra.llama_server_args#filter). By default what the plan was asked for.
    type: str
    choices: [pinned, guided]
  extra_args:
    description: More arguments, a name and its value as two items. Not what the plan or another option decides.
    type: list
    elements: str
  environment:
    description: More environment variables for the server. Not those of the plan, not C(LLAMA_ARG_*), and no secrets.
    type: dict
  log_verbosity:
    description: How much the server logs. By default 4, the least at which llama.cpp tells the layers and buffers that are compared with the plan.
    type: int
  allow_tools:
    description: Whether O(extra_args) may let clients run programs, as C(--tools) does.
    type: bool
    default: false
  build:
    description: The build of llama.cpp in the image. By default the one in the image's tag.
    type: int
  image:
    description: An image instead of the plan's, with a digest or a tag that stays.
    type: str
  image_pull_secrets:
    description: The names of Secrets to pull it with.
    type: list
    elements: str
  gpu_resource:
    description: The resource by which the pod asks for GPUs, as V(nvidia.com/gpu.shared) or V(gpu.intel.com/i915), instead of what the class or the names say.
    type: str
  runtime_class:
    description: The C(runtimeClassName) of the pod, where the cluster's default runtime does not give it GPUs.
    type: str
  device_groups:
    description: The numbers of the groups that AMD's and Intel's device nodes belong to on the nodes.
    type: list
    elements: str
  cpu:
    description: The CPU that the pod asks for, as V(8). It has no limit.
    type: str
  memory_limit_bytes:
    description: The memory of the pod. By default C(memory.host.recommended_ram_bytes) of the plan; less than C(min_ram_bytes) is refused.
    type: int
  disk_bytes_per_second:
    description: How fast the volume with the model is, for the time limit of a start. By default 150 MB/s is assumed.
    type: int
  start_timeout_seconds:
    description: The time limit of a start, instead of the one that is computed.
    type: int
  multi_node:
    description: For a plan of P(prositronic.infra.llama_multi_node_plan#filter), whose workers then have to be alike.
    type: dict
    suboptions:
      image:
        description: An image with C(llama-server) and C(ggml-rpc-server) of one build, for all pods. llama.cpp's own have no RPC.
        type: str
      command:
        description: Full path of C(ggml-rpc-server) in it. By default C(/app/ggml-rpc-server).
        type: str
      kind:
        description:
          - V(StatefulSet) for workers beside the server, V(LeaderWorkerSet) for a group that starts anew together when one of them fails, V(Auto) for the
            latter where the cluster has it.
        type: str
        choices: [Auto, StatefulSet, LeaderWorkerSet]
        default: Auto
      accept_unauthenticated:
        description: Has to be V(true), as the workers know neither passwords nor encryption.
        type: bool
  values:
    description: More values of the chart, merged over these as Helm does. Not what the plan decides.
    type: dict
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
  - plugin: prositronic.infra.llama_kubernetes_plans
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write values for a model that is downloaded, reached with a key
  ansible.builtin.copy:
    content: "{{ plan | prositronic.infra.helm_values(**options) | to_nice_yaml(sort_keys=false) }}"
    dest: /tmp/values.yaml
    mode: "0644"
  vars:
    options:
      api_key_secret: llm-keys
      metrics: true
      model:
        files:
          - url: https://models.example.com/model.gguf
            sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

- name: Show the nodes that the pod may come to, for a model in a claim
  ansible.builtin.debug:
    msg: "{{ (plan | prositronic.infra.helm_values(model={'source': 'claim', 'claim_name': 'models'})).affinity }}"
"""

RETURN = r"""
_value:
  description: The values of the chart, see C(charts/llama-server/README.md). C(plan.document) is the whole plan as JSON, C(plan.digest) its SHA-256.
  type: dict
"""


@plain_filter
def helm_values(plan, **options):
    return values(plan, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"helm_values": helm_values}
