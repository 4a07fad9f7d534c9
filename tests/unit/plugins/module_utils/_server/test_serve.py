# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The start script's reading of arguments, without llama.cpp."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[5] / "roles" / "llama_server" / "files" / "embedded" / "serve.py"


@pytest.fixture(scope="module")
def serve():
    spec = importlib.util.spec_from_file_location("embedded_serve", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def base(tmp_path):
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    return ["--model", str(model), "--host", "127.0.0.1", "--port", "8080"]


class Group:
    """Takes any attribute, as CommonParams' parts do."""


class Parameters:
    """The attributes of xllamacpp's CommonParams that are read before they are written."""

    def __init__(self):
        self.model, self.mmproj, self.cpuparams, self.cpuparams_batch = Group(), Group(), Group(), Group()
        self.tensor_buft_overrides = ""
        self.tensor_split = [0.0] * 8
        self.fit_params_target = [1] * 8


class Package:
    """Enumerations that give back the member's name, and one device."""

    def __init__(self, device="GGML_BACKEND_DEVICE_TYPE_CPU"):
        kind = Group()
        kind.name = device
        self._devices = [{"type": kind}]

    def get_device_info(self):
        return self._devices

    def __getattr__(self, enumeration):
        class Names:
            def __getattr__(self, member):
                return member

        return Names()


def applied(serve, arguments, package=None):
    parameters = Parameters()
    for _name, apply, value in serve.parse(arguments):
        apply(parameters, value, package or Package())
    return parameters


def test_what_a_plan_gives(serve, base):
    parameters = applied(serve, base + [
        "--alias", "a,b", "--ctx-size", "8192", "--parallel", "4", "--no-kv-unified", "--gpu-layers", "0", "--flash-attn", "on",
        "--cache-type-k", "q8_0", "--tensor-split", "3,1", "--split-mode", "row", "--fit", "off", "--load-mode", "mmap+mlock",
        "--no-kv-offload", "--cache-ram", "0", "--no-ui", "--metrics", "--no-slots", "--threads", "3", "--fit-target", "512",
    ])  # fmt: skip
    assert parameters.model.path == base[1]
    assert (parameters.hostnames, parameters.port, parameters.model_alias) == (["127.0.0.1"], 8080, {"a", "b"})
    assert (parameters.n_ctx, parameters.n_parallel, parameters.kv_unified, parameters.n_gpu_layers) == (8192, 4, False, 0)
    assert (parameters.flash_attn_type, parameters.cache_type_k) == ("LLAMA_FLASH_ATTN_TYPE_ENABLED", "GGML_TYPE_Q8_0")
    assert (parameters.split_mode, parameters.load_mode) == ("LLAMA_SPLIT_MODE_ROW", "LLAMA_LOAD_MODE_MMAP_MLOCK")
    assert parameters.tensor_split == [3.0, 1.0] + [0.0] * 6
    assert parameters.fit_params_target == [512 * 1024 * 1024] * 8
    assert (parameters.no_kv_offload, parameters.ui, parameters.endpoint_metrics, parameters.endpoint_slots) == (True, False, True, False)
    assert (parameters.fit_params, parameters.cache_ram_mib, parameters.cpuparams.n_threads) == (False, 0, 3)


def test_overrides_add_up(serve, base):
    parameters = applied(serve, base + ["--n-cpu-moe", "2", "--override-tensor", "output=CPU"])
    assert parameters.tensor_buft_overrides.split(",") == [
        r"blk\.0\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU", r"blk\.1\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU", "output=CPU",
    ]  # fmt: skip


def test_keys_come_from_a_file(serve, base, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("# ours\n\none\ntwo\n")
    assert applied(serve, base + ["--api-key-file", str(keys)]).api_keys == ["one", "two"]
    keys.write_text("# none yet\n")
    with pytest.raises(serve.Refused, match="without a key"):
        applied(serve, base + ["--api-key-file", str(keys)])


def test_layers_for_a_gpu_that_is_not_there(serve, base):
    with pytest.raises(serve.Refused, match="finds none"):
        applied(serve, base + ["--gpu-layers", "5"])
    assert applied(serve, base + ["--gpu-layers", "5"], Package("GGML_BACKEND_DEVICE_TYPE_GPU")).n_gpu_layers == 5
    assert applied(serve, base + ["--n-gpu-layers", "all"]).n_gpu_layers == -2


@pytest.mark.parametrize("more, message", [
    (["--ctx-sise", "1"], "Did you mean --ctx-size?"),
    (["--rpc", "host:1"], "does not take the argument '--rpc'"),
    (["--api-key", "hunter2"], "give --api-key-file"),
    (["--ctx-size"], "--ctx-size needs a value"),
    (["--ctx-size", "many"], "a whole number from 0"),
    (["--port", "70000"], "from 1 to 65535"),
    (["--flash-attn", "yes"], "one of on, off, auto"),
    (["--cache-type-k", "q9_9"], "q8_0"),
    (["--api-key-file", "/nowhere/keys"], "can't be read"),
    (["stray"], "does not take the argument 'stray'"),
])  # fmt: skip
def test_arguments_that_are_refused(serve, base, more, message):
    with pytest.raises(serve.Refused) as caught:
        serve.parse(base + more)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_has_to_be_given(serve, base):
    for name in ("--model", "--host", "--port"):
        index = base.index(name)
        with pytest.raises(serve.Refused, match=f"{name} is missing"):
            serve.parse(base[:index] + base[index + 2 :])


def test_variables_that_only_llama_server_reads(serve):
    serve.check_environment({"GGML_CUDA_ENABLE_UNIFIED_MEMORY": "1"})
    with pytest.raises(serve.Refused, match="LLAMA_ARG_CTX_SIZE"):
        serve.check_environment({"LLAMA_ARG_CTX_SIZE": "1"})


def test_a_refusal_is_one_sentence_and_exit_status_2(serve, capsys):
    assert serve.main(["--nope"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
