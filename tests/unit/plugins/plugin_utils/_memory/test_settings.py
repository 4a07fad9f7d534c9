# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory.settings import cache_row_bytes, resolve
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth


@pytest.fixture
def model():
    return truth.model("Llama-3.1-8B-Q4_K_M.gguf")


def test_what_is_not_given_is_what_llama_server_does(model):
    settings = resolve({}, model)
    assert (settings.n_ctx, settings.n_seq_max, settings.kv_unified, settings.n_stream) == (131072, 4, True, 1)
    assert (settings.n_batch, settings.n_ubatch, settings.n_outputs, settings.n_gpu_layers) == (2048, 512, 4, 33)
    assert settings.flash_attn and settings.kv_offload and settings.op_offload


def test_slots_with_a_cache_each_share_the_context(model):
    settings = resolve({"ctx_size": 10000, "parallel": 4}, model)
    assert (settings.n_ctx_seq, settings.n_stream, settings.n_ctx) == (2560, 4, 10240)


def test_a_context_is_padded_to_256(model):
    assert resolve({"ctx_size": 10000, "parallel": 1}, model).n_ctx == 10240


def test_batches_are_no_larger_than_the_context(model):
    settings = resolve({"ctx_size": 300, "parallel": 1}, model)
    assert (settings.n_batch, settings.n_ubatch) == (300, 300)


def test_a_yaml_boolean_counts_as_on_or_off(model):
    assert resolve({"flash_attn": True}, model).flash_attn is True
    assert resolve({"flash_attn": False}, model).flash_attn is False


def test_numbers_may_be_given_as_text(model):
    assert resolve({"ctx_size": "4096"}, model).n_ctx == 4096


@pytest.mark.parametrize(
    "given, message",
    [
        ({"ctx_sise": 4096}, "settings: unknown option 'ctx_sise'. Did you mean 'ctx_size'?"),
        ({"ctx_size": True}, "settings.ctx_size: not an integer (got True, expected a whole number)"),
        ({"ctx_size": -1}, "settings.ctx_size: too small (got -1, expected at least 0)"),
        ({"cache_type_k": "q8"}, "Did you mean 'q8_0'?"),
        ({"parallel": 0}, "settings.parallel: no slots"),
        ({"parallel": 257}, "settings.parallel: too large (got 257, expected at most 256)"),
        ({"ctx_size": 1 << 31}, "settings.ctx_size: too large"),
        ({"tensor_split": [1, float("inf")]}, "settings.tensor_split[1]: too large"),
        ({"tensor_split": "1,nan"}, "settings.tensor_split[1]: not a number"),
        ({"flash_attn": "off", "cache_type_v": "q8_0"}, "a quantized V cache needs flash attention"),
        ({"split_mode": "row"}, "this split mode is not modelled yet"),
        ({"gpu_layers": "most"}, "settings.gpu_layers: not one of the choices"),
    ],
)
def test_what_can_not_be_is_refused(model, given, message):
    with pytest.raises(InfraError) as error:
        resolve(given, model)
    assert message in str(error.value)


def test_earlier_states_are_kept_where_llama_cpp_can_go_back():
    hybrid, dense = truth.model("qwen35.gguf"), truth.model("Qwen3-8B-Q4_K_M.gguf")
    assert resolve({"spec_draft_n_max": 3}, hybrid).n_rs_seq == 3
    assert resolve({"spec_draft_n_max": 3, "mtp": "context"}, hybrid).n_rs_seq == 0
    assert resolve({"spec_draft_n_max": 3}, dense).n_rs_seq == 0


def test_bytes_of_a_row_of_cache():
    assert [cache_row_bytes(1024, kind) for kind in ("f32", "f16", "q8_0", "q4_0", "iq4_nl")] == [4096, 2048, 1088, 576, 576]
