# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to be done on a node to have the toolkit, or not to have it. Private: not an interface for other collections."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.packages import TOOLKIT

from .cdi import cdi, spec_path
from .engines import chosen, engine_step, rootless_docker, takes_cdi
from .node import node as checked_node
from .packages import left_to_the_vendor, packages
from .proof import proofs
from .repository import artefacts, old_files, removal, repository
from .restart import restart_refusal
from .wishes import wishes as checked_wishes

SCHEMA = 1
_EMPTY = {
    "repository": None, "old_repositories": [], "packages": None, "remove_files": [], "cdi": None, "engines": [], "selinux": None, "proofs": [],
    "artefacts": None,
}  # fmt: skip


def steps(facts, info, options):
    """The steps as a dictionary; see the documentation of the filter nvidia_container_toolkit_steps."""
    wishes, node = checked_wishes(options), checked_node(facts, info)
    try:
        if wishes.state == "artefacts":
            return _result("apply", None, artefacts=artefacts(wishes, node))
        if wishes.state == "absent":
            return _result("apply", None, **_absent(wishes, node))
        nothing = _nothing_to_do(wishes, node)
        if nothing:
            return _result("nothing", nothing)
        if wishes.state == "verify":
            return _result("apply", None, **_proved(wishes, node))
        _refuse(node)
        return _result("apply", None, **_present(wishes, node))
    except InfraError as error:
        return _result("refuse", str(error))


def _result(verdict, reason, notes=(), **found):
    return {"schema": SCHEMA, "verdict": verdict, "reason": reason, "notes": list(notes), **_EMPTY, **found}


def _nothing_to_do(wishes, node):
    if node.has_gpu or wishes.allow_no_gpu or node.problems:
        return None
    return "There is no NVIDIA GPU on this node, and nothing was changed. To prepare a node without one, set nvidia_container_toolkit_allow_no_gpu=true."


def _refuse(node):
    """What speaks against it before anything else is looked at."""
    if node.gpu_operator:
        raise InfraError(
            "the GPU Operator brings the toolkit to this node itself", where="node", got="the GPU Operator",
            fix="Leave it to the operator, or install the operator with toolkit.enabled=false",
        )  # fmt: skip
    system = node.info["system"]
    if system["manager"] is None:
        raise InfraError("no package manager for this system is known", "node", system["name"] or "an unknown system", "apt, dnf, yum or zypper")


def _needs_a_gpu(wishes, node):
    if not node.has_gpu and not wishes.allow_no_gpu:
        problem = node.problems[0]
        raise InfraError(f"the NVIDIA GPU can't be used yet: {problem['message']}", where="node", fix=problem["fix"])


def _proved(wishes, node):
    """Whatever brought the toolkit to the node, in whichever version."""
    _needs_a_gpu(wishes, node)
    engines = chosen(wishes, node)
    return {"proofs": proofs(wishes, node, engines), "notes": _notes(node, engines, left_to_the_vendor(node))}


def _present(wishes, node):
    _needs_a_gpu(wishes, node)
    vendor = left_to_the_vendor(node)
    wanted = None if vendor else packages(wishes, node)
    engines = chosen(wishes, node)
    made = cdi(wishes, node, engines, bool(wanted and wanted["change"]))
    source = None if vendor else repository(wishes, node, wanted["packages"])
    notes = [*_notes(node, engines, vendor), *made.pop("notes")]
    hook = node.info["hook"]
    if hook and not wishes.remove_oci_hook:
        notes.append(f"{hook} gives Podman's containers GPUs a second time. Have it removed with nvidia_container_toolkit_remove_oci_hook=true.")
    return {
        "repository": source,
        "old_repositories": [] if vendor else old_files(wishes, node),
        "packages": wanted and {**wanted, "repository": source and source["path"]},
        "remove_files": [*made.pop("remove"), *([hook] if hook and wishes.remove_oci_hook else [])],
        "cdi": made,
        "engines": _engine_steps(wishes, node, engines, made["path"]),
        "selinux": _selinux(wishes, node),
        "proofs": proofs(wishes, node, engines),
        "notes": notes,
    }


def _absent(wishes, node):
    vendor = left_to_the_vendor(node)
    installed = [] if vendor else [name for name in reversed(TOOLKIT) if name in node.info["packages"]]
    manager = node.info["system"]["manager"]
    engines = _engine_steps(wishes, node, chosen(wishes, node), None)
    own = [step["config"]["path"] for step in engines if step["config"]["own"]]
    return {
        "repository": removal(wishes, node),
        "packages": {"manager": manager, "packages": {name: node.info["packages"][name] for name in installed}} if installed else None,
        "remove_files": [spec_path(node), *own],
        "engines": engines,
        "notes": _vendor_notes(vendor),
    }


def _engine_steps(wishes, node, engines, spec):
    found = [engine_step(engine, wishes, node) for engine in engines]
    docker = next((engine for engine in node.engines if engine.name == "docker"), None)
    users = [user for user in node.info["users"] if user["name"] in wishes.docker_rootless_users]
    if users and docker is None:
        raise InfraError("there is no Docker on the node", where="docker_rootless_users", got=", ".join(user["name"] for user in users))
    found += [rootless_docker(docker, user, wishes, node, spec) for user in users]
    return [{**step, "restart_refusal": _refusal(step, wishes, node)} for step in found if step["config"]]


def _refusal(step, wishes, node):
    """Only for a daemon that runs: one that does not reads its file when it starts."""
    if not step["restart"] or not step["restart"]["active"]:
        return None
    return restart_refusal(step["name"], wishes, node)


def _selinux(wishes, node):
    selinux = node.info["system"]["selinux"]
    if not selinux or not wishes.selinux_boolean or selinux["container_use_devices"] is None:
        return None
    return {"boolean": "container_use_devices", "set": not selinux["container_use_devices"]}


def _vendor_notes(vendor):
    told = f"The toolkit's packages on this system are those of {vendor}: they, their repository and their version are left as they are."
    return [told] if vendor else []


def _notes(node, engines, vendor):
    notes = _vendor_notes(vendor)
    if node.wsl:
        notes.append("This is WSL: the driver is that of Windows, no Linux driver may be installed, and the only CDI device is nvidia.com/gpu=all.")
    if node.kubernetes_node:
        notes.append("This is a Kubernetes node: the device plugin is not part of the toolkit.")
    old = next((engine for engine in engines if engine.name == "podman" and not takes_cdi(engine)), None)
    if old:
        notes.append(f"Podman {old.told_version} takes no CDI devices, as it does since 4.1: its containers get no GPU.")
    if not engines:
        notes.append("There is no container engine on this node: only the toolkit itself is installed.")
    selinux = node.info["system"]["selinux"]
    if selinux and selinux["enforcing"] and not selinux["container_use_devices"]:
        notes.append(
            "SELinux keeps containers from using devices. Start those with a GPU with --security-opt=label=disable, or let all containers use devices"
            " with nvidia_container_toolkit_selinux_boolean=true."
        )
    return notes
