# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter llama_server_manifests."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.manifests import manifests
from ansible_collections.prositronic.infra.plugins.plugin_utils._filter import plain_filter

DOCUMENTATION = r"""
name: llama_server_manifests
short_description: A plan as files for Quadlet, Docker Compose or systemd
version_added: 1.0.0
author:
  - Contributors to the prositronic.infra collection (@prositronic)
description:
  - Renders what runs a plan on one host, with the commands for it, and says why. It writes and starts nothing.
  - GPUs are chosen by uuid, the server listens on the loopback address, has no tools and no page for a browser unless asked, and the process is shut in
    as far as its GPU lets it. Secrets are referred to and never in a file.
  - Refused are a plan that does not fit, an address that other machines reach without an API key, an image that is not pinned, a flag that the build
    is not known to have, and a build with a hole that is known.
positional: target
options:
  _input:
    description: The plan, as returned by P(prositronic.infra.llama_plan#filter).
    type: dict
    required: true
  target:
    description:
      - V(quadlet) for Podman 4.4 and newer, V(compose) for Docker 25 and newer or for Podman, V(systemd) for a C(llama-server) of the node itself.
    type: str
    choices: [quadlet, compose, systemd]
    required: true
  name:
    description: The name of this server. Several servers on one machine need different names and ports.
    type: str
    default: default
  model:
    description: Full path of the model on the node; of a split model the first file. By default the path that the plan was made from.
    type: str
  alias:
    description: The name under which the server offers the model. By default the model's.
    type: str
  host:
    description: The IP address to listen on, or C(localhost). Another one than the loopback addresses needs an API key.
    type: str
    default: 127.0.0.1
  port:
    description: The port to listen on.
    type: int
    default: 8080
  api_key_file:
    description: Full path of a file on the node with the API keys that the server accepts, one in a line. Only its path is looked at.
    type: str
  api_key_secret:
    description: For V(quadlet), the name of a Podman secret with the keys that is there already, instead of a file.
    type: str
  tls_cert_file:
    description: Full path of a certificate in PEM format on the node. Needs O(tls_key_file), and a build of llama.cpp with TLS.
    type: str
  tls_key_file:
    description: Full path of its key.
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
    description:
      - More arguments, a name and its value as two items. Not what the plan or another option decides.
    type: list
    elements: str
  environment:
    description:
      - More environment variables for the server, such as C(GGML_VK_VISIBLE_DEVICES). Not those of the plan, not C(LLAMA_ARG_*), and no secrets, as
        others may read the files.
    type: dict
  log_verbosity:
    description:
      - How much the server logs. By default 4, the least at which llama.cpp tells the layers and buffers that P(prositronic.infra.llama_server_info#module)
        reads. What clients ask is not logged below 5.
    type: int
  allow_tools:
    description: Whether O(extra_args) may let clients run programs, as C(--tools) does.
    type: bool
    default: false
  build:
    description: The build of llama.cpp that is run. By default the one in the image's tag; an image of one's own and a binary do not tell theirs.
    type: int
  image:
    description: An image instead of the plan's, with a digest or a tag that stays. For V(quadlet) and V(compose).
    type: str
  memory_limit_bytes:
    description: The memory limit. By default C(memory.host.recommended_ram_bytes) of the plan; less than C(min_ram_bytes) is refused.
    type: int
  disk_bytes_per_second:
    description: How fast the disk with the model is, for the time limit of a start. By default 150 MB/s is assumed.
    type: int
  start_timeout_seconds:
    description: The time limit of a start, instead of the one that is computed.
    type: int
  directory:
    description:
      - Where the files go. By default C(/etc/containers/systemd) or C(~/.config/containers/systemd), C(/etc/llama-server/<name>), C(/etc/systemd/system).
    type: str
  user:
    description:
      - Who runs the server. In a container numbers, by default C(65534:65534), and rootless the user of the unit. Under systemd a name, by default
        a user that exists as long as the service does.
    type: str
  device_groups:
    description:
      - The groups that AMD's and Intel's device nodes belong to, for V(quadlet) and V(compose) by number, as the names mean others in an image.
        For V(systemd) C(render) and C(video) by default.
    type: list
    elements: str
  device_nodes:
    description: Device nodes instead of all of C(/dev/dri), as V(/dev/dri/renderD128).
    type: list
    elements: str
  cdi_devices:
    description: CDI devices instead of those by uuid, as V(nvidia.com/gpu=all) under WSL. For V(quadlet) and V(compose).
    type: list
    elements: str
  selinux:
    description:
      - V(confined) leaves labels alone, V(relabel) lets the engine label the model's directory for containers, V(disabled) runs the container without
        confinement by SELinux. By default V(confined). For V(quadlet) and V(compose).
    type: str
    choices: [confined, relabel, disabled]
  rootless:
    description: Whether the unit is a user's. For V(quadlet).
    type: bool
    default: false
  podman_version:
    description: The node's Podman. Before 5.0 the unit is written with what Podman 4.4 had. By default 5.0. For V(quadlet).
    type: str
  engine:
    description: Which engine reads the file. For V(compose).
    type: str
    choices: [docker, podman]
    default: docker
  gpu_access:
    description: How Docker is given NVIDIA GPUs, V(cdi) or V(reservation) of devices. For V(compose).
    type: str
    choices: [cdi, reservation]
    default: cdi
  binary:
    description: Full path of C(llama-server). By default C(/usr/bin/llama-server), or that of the archive. For V(systemd).
    type: str
  package:
    description: The distribution's package that holds it, such as V(llama.cpp-tools). For V(systemd).
    type: str
  archive_url:
    description: The address of a release archive instead. Needs O(archive_sha256) and O(build). For V(systemd).
    type: str
  archive_sha256:
    description: The SHA-256 of the archive.
    type: str
  public_name:
    description: The host's name in the examples for reverse proxies.
    type: str
    default: llm.example.com
  facts:
    description:
      - The facts of the node, C(ansible_facts['gpu']). They answer what is not given of O(podman_version), O(engine), O(gpu_access), O(cdi_devices)
        and O(device_groups).
    type: dict
seealso:
  - plugin: prositronic.infra.llama_plan
    plugin_type: filter
  - plugin: prositronic.infra.llama_server_args
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the unit for Podman
  ansible.builtin.debug:
    msg: "{{ (plan | prositronic.infra.llama_server_manifests('quadlet', model='/models/model.gguf')).files[0].content }}"

- name: Show what Docker Compose would run for other machines
  ansible.builtin.debug:
    msg: "{{ (plan | prositronic.infra.llama_server_manifests('compose', **options)).files[0].content }}"
  vars:
    options:
      model: /models/model.gguf
      name: chat
      host: 0.0.0.0
      api_key_file: /etc/llama/api_keys
      metrics: true

- name: Show the unit for a binary of the distribution, and a reverse proxy before it
  ansible.builtin.debug:
    msg: "{{ manifests.files[0].content ~ manifests.examples.caddy }}"
  vars:
    manifests: "{{ plan | prositronic.infra.llama_server_manifests('systemd', model='/models/model.gguf', package='llama.cpp-tools', build=11669) }}"
"""

RETURN = r"""
_value:
  description: What to write and to run. Plain values; bytes and seconds are whole numbers.
  type: dict
  contains:
    target:
      description: As given.
      type: str
    name:
      description: The name of the server.
      type: str
    unit:
      description: The name of its service or container.
      type: str
      sample: llama-server-default
    model_path:
      description: The model as the server sees it, in a container under C(/models).
      type: str
      sample: /models/model.gguf
    url:
      description: How the node itself reaches the server; C(/health) there answers without a key.
      type: str
      sample: http://127.0.0.1:8080
    log:
      description:
        - Where its log is, for P(prositronic.infra.llama_server_info#module). C(unit) and C(scope) are that module's C(journal_unit) and C(journal_scope),
          C(container) and C(engine) its C(container) and C(container_engine).
      type: dict
    build:
      description: The build of llama.cpp that the flags are checked against, null where it is not known.
      type: int
    image:
      description: The image, null for V(systemd).
      type: str
    engine:
      description: Who reads the file of V(compose), V(docker) or V(podman), null for the other targets.
      type: str
    scope:
      description: V(system), or V(user) for a unit of a user.
      type: str
    binary:
      description:
        - Under V(systemd) where the program comes from, else null. C(kind) is V(path), V(package) or V(archive); C(path) is where it has to be;
          C(package), C(url), C(sha256) and C(directory) are null where they don't belong to the kind.
      type: dict
    files:
      description: The files, the one that C(check) is about first. A path may begin with C(~).
      type: list
      elements: dict
      contains:
        path:
          description: Where it goes.
          type: str
        content:
          description: The whole text. No secret is in it.
          type: str
        mode:
          description: Its mode.
          type: str
    secrets:
      description:
        - What the files refer to. C(id), C(file) on the node (null where it is there already), for V(quadlet) the C(podman_secret) that holds it, and for
          V(compose) the C(copy) of it that belongs to C(owner), numbers as C(uid:gid).
      type: list
      elements: dict
    check:
      description:
        - A command that reads the new files before they replace the old. V(%s) stands for the staged file, in C(environment) for the directory of staged files.
      type: dict
      contains:
        argv:
          description: The command.
          type: list
          elements: str
        environment:
          description: Its environment.
          type: dict
    commands:
      description: What to run after the files are written, in order. C(argv), and C(why).
      type: list
      elements: dict
    start_timeout_seconds:
      description: The time limit of a start.
      type: int
    memory_limit_bytes:
      description: The memory limit.
      type: int
    requirements:
      description: What the node needs, in words.
      type: list
      elements: str
    examples:
      description: C(nginx), C(caddy) and C(prometheus) (null without O(metrics)) as texts to copy from.
      type: dict
    reasons:
      description: Why it is as it is, in sentences.
      type: list
      elements: str
    warnings:
      description: What to know before it is run.
      type: list
      elements: str
"""


@plain_filter
def llama_server_manifests(plan, target, **options):
    return manifests(plan, target, options)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self):
        return {"llama_server_manifests": llama_server_manifests}
