# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One plan as files for one of three runtimes of a host: Quadlet, Compose, systemd. Private: not an interface for other collections.

  flag_table.py    the arguments of llama-server, by build
  flags.py         whether a build knows what a server is told
  address.py       where a server listens, and how it is reached from its machine
  image.py         which image, pinned
  instance.py      one server: what all three runtimes need to know, from a plan and options
  options.py       the options, and which target takes which
  node_facts.py    those that the facts of the node answer
  environment.py   variables that a user gives
  limits.py        the memory limit and how long a start may take
  gpu_access.py    how a process gets at the GPUs of a plan, and at no others
  health.py        the command that asks whether the server is ready
  mark.py          by what our files are known again
  unit_text.py     systemd's quoting
  yaml_text.py     YAML and Compose's quoting
  container.py     where things lie in a container
  quadlet.py       a unit for Podman's generator
  compose.py       a file for Docker Compose
  systemd_unit.py  a unit for systemd
  examples.py      a reverse proxy before it, and Prometheus
  manifests.py     all of it as one plain answer

Standard library only; nothing here knows Ansible, writes a file or reads a secret.
"""
