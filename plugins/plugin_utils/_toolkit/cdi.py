# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The CDI specification of a node's GPUs. Private: not an interface for other collections.

The toolkit has units that write it anew when the driver or the toolkit changes (since 1.18). Since 1.19 it is of CDI version 0.7,
which older engines can't read; a feature flag of the toolkit leaves out what is new in it.
"""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.versions import numbers

from .engines import takes_cdi
from .packages import left_to_the_vendor

FLAGS = "NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS"
OLD_SCHEMA = "no-additional-gids-for-device-nodes"
SETTINGS_FILE = "/etc/nvidia-container-toolkit/nvidia-cdi-refresh.env"
_READS_0_7_SINCE = {"podman": (5, 1, 0), "docker": (26, 1, 0), "containerd": (1, 7, 16), "crio": (1, 30, 0)}
_REFRESHED = ("/var/run/cdi/", "/run/cdi/")
_STATIC = "/etc/cdi/"


def cdi(wishes, node, engines, packages_change):
    """{method, path, settings, refresh, remove, notes}; C(method) is "units", or "command" where the units can't do it."""
    units = _has_units(node)
    if numbers(wishes.version) < (1, 18, 0):
        raise InfraError("this release has no units that keep the CDI specification up to date", "nvidia_container_toolkit_version", wishes.version, "1.18.0")
    path = spec_path(node)
    settings = _settings(wishes, node, engines)
    specs = [spec for spec in node.cdi_specs if spec["kind"] == "nvidia.com/gpu"]
    own = [spec for spec in specs if spec["path"].startswith(_REFRESHED if units else path)]
    old = [spec["path"] for spec in specs if units and spec["path"].startswith(_STATIC)]
    # The command is given them, and only the units read them from a file.
    unset = units and not settings.items() <= _there(node).items()
    notes = []
    if old and not wishes.remove_stale_cdi_specs:
        notes.append(
            f"{' and '.join(old)} is not refreshed when the driver changes, and may name devices that are gone."
            " Have it removed (a copy is kept) with nvidia_container_toolkit_remove_stale_cdi_specs=true."
        )
    return {
        "method": "units" if units else "command",
        "path": path,
        "settings": settings,
        "refresh": node.has_gpu and (packages_change or unset or not own or any(spec["stale"] for spec in own)),
        "remove": old if wishes.remove_stale_cdi_specs else [],
        "notes": notes,
    }


def spec_path(node):
    """Where the specification is made on this node."""
    return "/var/run/cdi/nvidia.yaml" if _has_units(node) else "/etc/cdi/nvidia.yaml"


def _has_units(node):
    if not node.info["system"]["systemd"] or node.jetson is not None:
        return False
    # Those that are brought have them, an old one of the vendor may not.
    return node.info["refresh_units"] or left_to_the_vendor(node) is None


def _settings(wishes, node, engines):
    """What has to be in the environment file: {name: value}. A package of another version may bring a new file, so also what is there already."""
    old = [engine.name for engine in engines if takes_cdi(engine) and engine.version < _READS_0_7_SINCE[engine.name]]
    if not old or numbers(wishes.version) < (1, 19, 0):
        return {}
    flags = [flag for flag in _there(node).get(FLAGS, "").strip("\"'").split(",") if flag]
    return {FLAGS: ",".join(flags if OLD_SCHEMA in flags else [*flags, OLD_SCHEMA])}


def _there(node):
    return node.info["refresh_settings"] or {}
