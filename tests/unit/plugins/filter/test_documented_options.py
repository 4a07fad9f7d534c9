# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation says of a filter's options is what the core takes: the same names and choices."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.prositronic.infra.plugins.doc_fragments import llama_settings, llama_wishes
from ansible_collections.prositronic.infra.plugins.filter import (
    best_quantization,
    helm_values,
    kubernetes_node_classes,
    llama_kubernetes_plans,
    llama_memory,
    llama_multi_node_plan,
    llama_plan,
    llama_plans,
    llama_server_args,
    llama_server_differences,
    llama_server_failure,
    llama_server_manifests,
)
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy import options as deploy_options
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes import options as helm_options
from ansible_collections.prositronic.infra.plugins.plugin_utils._deploy.kubernetes import plans as kubernetes_plans
from ansible_collections.prositronic.infra.plugins.plugin_utils._kubernetes import classes
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory import settings
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning import server_args, wishes
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning.multi_node import wishes as multi_node_wishes
from ansible_collections.prositronic.infra.plugins.plugin_utils._verify import differences, failure

FRAGMENTS = {
    "prositronic.infra.llama_settings": llama_settings.ModuleDocFragment.DOCUMENTATION,
    "prositronic.infra.llama_wishes": llama_wishes.ModuleDocFragment.DOCUMENTATION,
}
UNDOCUMENTED = {"mtp": ["context"], "split_mode": ["row", "tensor"]}
"""A context that no llama-server has alone, and ways to split that are known in order to be refused with the reason."""


def options(plugin):
    documentation = yaml.safe_load(plugin.DOCUMENTATION)
    found = dict(documentation["options"])
    for name in documentation.get("extends_documentation_fragment", ()):
        found.update(yaml.safe_load(FRAGMENTS[name])["options"])
    return found


@pytest.mark.parametrize(
    ("plugin", "spec", "beside"),
    [
        (llama_plan, wishes.SPEC, {"_input", "node", "previous", "measured"}),
        (llama_plans, wishes.SPEC, {"_input", "node", "previous"}),
        (best_quantization, wishes.SPEC, {"_input", "node"}),
        (
            llama_multi_node_plan,
            multi_node_wishes.SPEC,
            {"_input", "nodes", "link_bytes_per_second", "round_trip_seconds", "head", "worker_cache", "previous"},
        ),
        (llama_memory, settings.SPEC, {"_input", "devices"}),
        (llama_server_args, server_args.SPEC, {"_input"}),
        (llama_server_manifests, deploy_options.SPEC, {"_input", "target"}),
        (helm_values, helm_options.SPEC, {"_input"}),
        (llama_kubernetes_plans, kubernetes_plans.SPEC, {"_input", "classes"}),
        (kubernetes_node_classes, classes.SPEC, {"_input", "resource_slices"}),
        (llama_server_differences, differences.SPEC, {"_input", "info"}),
        (llama_server_failure, failure.SPEC, {"_input", "log"}),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if hasattr(value, "__name__") else "",
)
def test_every_option_is_documented_and_taken(plugin, spec, beside):
    documented = options(plugin)
    assert set(documented) - beside == set(spec)
    for name in set(documented) & set(spec):
        if documented[name].get("choices") and spec[name].choices:
            assert sorted(map(str, [*documented[name]["choices"], *UNDOCUMENTED.get(name, ())])) == sorted(map(str, spec[name].choices)), name
