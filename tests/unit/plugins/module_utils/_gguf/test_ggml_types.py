# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import gguf

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.file_types import FILE_TYPES, file_type_name
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.ggml_types import REMOVED_TYPES, TYPES


def test_tensor_types_are_those_of_the_gguf_package():
    ours = {kind.name: (kind.id, kind.block_size, kind.block_bytes) for kind in TYPES.values()}
    theirs = {kind.name: (int(kind), *sizes) for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    # Releases up to 0.19 count two float32 where a block of llama.cpp has two float16; no file carries this type.
    del theirs["Q8_1"]
    # The package may lag behind llama.cpp, never the other way round.
    assert theirs.items() <= ours.items()
    assert len(theirs) > 30
    assert {"NVFP4", "Q2_0"} <= set(ours)


def test_removed_types_have_no_size():
    assert not set(REMOVED_TYPES) & set(TYPES)


def test_file_types_are_those_of_the_gguf_package():
    theirs = {int(kind): kind.name.replace("MOSTLY_", "").replace("ALL_", "") for kind in gguf.LlamaFileType if kind.name != "GUESSED"}
    assert theirs.items() <= FILE_TYPES.items()


def test_a_guessed_file_type_has_the_same_name():
    assert file_type_name(15) == file_type_name(15 + 1024) == "Q4_K_M"


def test_unknown_file_types_have_no_name():
    assert [file_type_name(value) for value in (4, 33, 9999, -1, None, True, "15", 15.0)] == [None] * 8
