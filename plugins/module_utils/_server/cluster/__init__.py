# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server in a Kubernetes cluster, as the API server tells of it. Private: not an interface for other collections.

connection.py  the cluster that a module was told of
nodes.py    its nodes, and what DRA drivers offer on them
api.py      requests to the API server, by the connection of the Python package kubernetes
release.py  what a cluster has of a server: its objects, plan and values
pods.py     the pods of a release, and why one of them does not serve
logs.py     the log of a container as the reader of logs takes it
proxy.py    HTTP to a server through the API server
ready.py    waiting until a release serves
info.py     what a server in a pod says, does and logged
"""
