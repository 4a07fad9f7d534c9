# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every GPU of the table, by id and by the name that its driver gives it."""

from __future__ import annotations

import difflib
import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .apple import APPLE
from .geforce import GEFORCE
from .instinct import INSTINCT
from .intel import INTEL
from .jetson import JETSON
from .nvidia_data_centre import DATA_CENTRE
from .radeon import RADEON
from .rtx_pro import RTX_PRO
from .ryzen import RYZEN

GPU_MODELS = GEFORCE + RTX_PRO + DATA_CENTRE + JETSON + RADEON + INSTINCT + RYZEN + INTEL + APPLE
TABLE = "docs/gpus.md has the table"

_BY_ID = {model.id: model for model in GPU_MODELS}
_VENDOR_WORDS = re.compile(r"\((?:r|tm)\)|\b(?:nvidia|amd|ati|intel|geforce|graphics)\b", re.IGNORECASE)


def _plain(name):
    """C(name) without what some drivers write and others leave out: NVIDIA before a Tesla, AMD before a Radeon, Graphics after it."""
    return " ".join(_VENDOR_WORDS.sub(" ", name).casefold().split())


def _by_name():
    found = {}
    for model in GPU_MODELS:
        for name in (model.name, *model.aliases):
            found.setdefault((model.vendor, _plain(name)), []).append(model)
    return found


_BY_NAME = _by_name()


def model_by_id(model_id, where):
    """The GpuModel C(model_id); InfraError with the nearest ids for one that isn't in the table."""
    if not isinstance(model_id, str):
        raise InfraError("not the id of a GPU", where, shown(model_id), f"an id such as nvidia-l4; {TABLE}")
    if model_id not in _BY_ID:
        raise InfraError("no such GPU in the table", where, shown(model_id), fix=f"{_nearest(model_id)}; {TABLE}")
    return _BY_ID[model_id]


def _nearest(model_id):
    """The ids most like C(model_id), whatever it says of the vendor: those that hold it or whose names do, else those written alike."""
    words = _plain(re.sub(r"[\s_-]+", " ", model_id))
    wanted = words.replace(" ", "-")
    near = [model.id for model in GPU_MODELS if wanted and (wanted in model.id or any(words in _plain(name) for name in (model.name, *model.aliases)))]
    if not near:
        tails = {known.partition("-")[2]: known for known in _BY_ID}
        near = [tails[tail] for tail in difflib.get_close_matches(wanted, tails, n=3, cutoff=0.6)]
    if not near:
        return f"The ids start with {', '.join(sorted({known.partition('-')[0] + '-' for known in _BY_ID}))}"
    return "Did you mean " + " or ".join(f"'{known}'" for known in sorted(near, key=len)[:3]) + "?"


def model_by_driver(vendor, name, memory_total_bytes, gfx_target=None):
    """The GpuModel of a GPU that was found, None where the table has none.

    Some names stand for two cards with unlike memory: the nearer counts. A driver of AMD may know no name:
    then the gfx target and the memory together, where only one row has them.
    """
    candidates = _BY_NAME.get((vendor, _plain(name)), ())
    if candidates:
        return min(candidates, key=lambda model: _distance(model, memory_total_bytes))
    if gfx_target is None:
        return None
    alike = [model for model in GPU_MODELS if model.gfx_target == gfx_target and model.memory_total_bytes == memory_total_bytes]
    return alike[0] if len(alike) == 1 else None


def _distance(model, memory_total_bytes):
    return min(abs(size - memory_total_bytes) for size in (model.memory_total_bytes, *model.memory_sizes_bytes) if size is not None)
