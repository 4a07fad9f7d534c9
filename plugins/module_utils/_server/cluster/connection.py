# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cluster that a module was told of, by the Python package kubernetes. Private: not an interface for other collections."""

from __future__ import annotations

import traceback

from ansible.module_utils.basic import env_fallback, missing_required_lib

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._server.cluster.api import Api

try:
    from kubernetes import client, config

    IMPORT_ERROR = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()


def argument_spec():
    """The options of the modules that ask a cluster; the variables of the environment are those of kubernetes.core."""
    return {
        "kubeconfig": {"type": "path", "fallback": (env_fallback, ["K8S_AUTH_KUBECONFIG"])},
        "context": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_CONTEXT"])},
    }


def connected(module):
    """The Api of the cluster that the module's parameters name: that of the kubeconfig, else, in a pod, its own."""
    if IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("kubernetes"), exception=IMPORT_ERROR)
    given = module.params
    try:
        return Api(config.new_client_from_config(config_file=given["kubeconfig"], context=given["context"]))
    except (config.ConfigException, OSError, ValueError) as error:
        outside = error
    if given["kubeconfig"] is None and given["context"] is None:
        try:
            config.load_incluster_config()
            return Api(client.ApiClient())
        except config.ConfigException:
            pass
    where = given["kubeconfig"] or "the current kubeconfig"
    raise InfraError("there is no cluster to ask", where, outside, fix="Give kubeconfig, and context where it has several.")
