# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The demo's model: the same bytes for a seed, and what the collection reads from its header."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ansible_collections.prositronic.infra.plugins.module_utils._gguf.local import read_local

SCRIPT = Path(__file__).parents[4] / "examples" / "demo" / "tiny_model.py"


def tiny_model(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


def test_the_same_bytes_for_a_seed(tmp_path):
    first, again, other = tmp_path / "first.gguf", tmp_path / "again.gguf", tmp_path / "other.gguf"
    for path, seed in ((first, 1), (again, 1), (other, 2)):
        assert tiny_model(path, "--seed", seed).returncode == 0
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.gguf", "first.gguf", "other.gguf"]

    model = read_local(str(first))
    assert (model["architecture"], model["quantization"], model["parameters"], model["header_only"]) == ("llama", "F16", 4722944, False)
    assert model["hyperparameters"]["context_length"] == 4096
    assert model["size_bytes"] == first.stat().st_size
    assert model["tokenizer"] == {"model": "gpt2", "tokens": 260, "chat_template": True}


def test_what_is_refused(tmp_path):
    assert "does not exist" in tiny_model(tmp_path / "none" / "x.gguf").stderr
    assert "--seed must be 0 or more" in tiny_model(tmp_path / "x.gguf", "--seed", "-1").stderr
    assert list(tmp_path.iterdir()) == []
