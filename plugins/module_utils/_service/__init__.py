# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rendered llama-server as a service of the node: its files, its start, and the way back. Private: not an interface for other collections.

deployment.py  what the filter llama_server_manifests rendered, checked
files.py       files that are ours: compared, written beside, renamed
secrets.py     Podman's secrets, and copies that a container's user can read
images.py      whether the image is there; bringing it
systemd.py     a unit, for the targets quadlet and systemd
compose.py     a project of Docker Compose or Podman's
memory.py      what the server was last healthy with
leftovers.py   images and releases that were brought for servers, and go with the last of them
archive.py     a release of llama.cpp, unpacked
program.py     the build of a llama-server that is installed
reason.py      why a start failed, from the log
changes.py     what is not as it should be
ensure.py      the way there, and back where the server doesn't become healthy
"""
