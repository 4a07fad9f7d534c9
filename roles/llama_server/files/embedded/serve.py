# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""llama.cpp's own HTTP server from the Python package xllamacpp, started with llama-server's arguments.

The package has no command line, only a parameter object, so each argument is translated here. One that
is not in the table, or that the parameter object cannot express, is refused with exit status 2 and one
sentence: a server that runs without an argument its plan decided would not be the planned server.

Exit status: 0 after SIGTERM or SIGINT, 1 when llama.cpp could not start, 2 for a refused argument.
"""

from __future__ import annotations

import difflib
import os
import re
import signal
import sys
import threading

MIB = 1024 * 1024
KV_CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
# What llama-server itself uses for --cpu-moe and --n-cpu-moe.
EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"


class Refused(Exception):
    """An argument this server cannot take; the message is one sentence."""


# --- the values of arguments -------------------------------------------------------------------


def integer(low, high=2**31 - 1):
    def convert(name, text):
        if not re.fullmatch(r"-?[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise Refused(f"{name} needs a whole number from {low} to {high}, not '{text}'.")
        return int(text)

    return convert


def number(name, text):
    try:
        return float(text)
    except ValueError:
        raise Refused(f"{name} needs a number, not '{text}'.") from None


def words(mapping):
    def convert(name, text):
        if text not in mapping:
            raise Refused(f"{name} needs one of {', '.join(mapping)}, not '{text}'.")
        return mapping[text]

    return convert


def numbers(name, text):
    return [number(name, part) for part in re.split(r"[,/]", text)]


def text(name, value):
    if not value:
        raise Refused(f"{name} needs a value.")
    return value


def names(name, value):
    return [part.strip() for part in text(name, value).split(",") if part.strip()]


def readable_file(name, value):
    try:
        with open(value, "rb"):
            return value
    except OSError as error:
        raise Refused(f"{name}: {value} can't be read ({error.strerror}).") from None


def lines_of_file(name, value):
    with open(readable_file(name, value), encoding="utf-8") as stream:
        return stream.read()


# --- what arguments do to the parameters -------------------------------------------------------


def put(attribute, group=None):
    """The value goes, as it is, into one attribute."""

    def apply(parameters, value, xllamacpp):
        setattr(parameters if group is None else getattr(parameters, group), attribute, value)

    return apply


def put_enum(attribute, enumeration):
    """The value is the name of a member of one of the package's enumerations."""

    def apply(parameters, value, xllamacpp):
        setattr(parameters, attribute, getattr(getattr(xllamacpp, enumeration), value))

    return apply


def ctx_size(parameters, value, xllamacpp):
    parameters.n_ctx = value
    if value == 0:
        # llama-server's meaning: the model's whole context was asked for, so fitting must not shrink it.
        parameters.fit_params_min_ctx = 2**32 - 1


def tensor_split(parameters, value, xllamacpp):
    size = len(parameters.tensor_split)
    if len(value) >= size:
        raise Refused(f"--tensor-split has {len(value)} proportions; there can be no more than {size - 1} devices.")
    parameters.tensor_split = value + [0.0] * (size - len(value))


def fit_target(parameters, value, xllamacpp):
    size = len(parameters.fit_params_target)
    target = [int(mib) * MIB for mib in value]
    rest = target * size if len(target) == 1 else target + list(parameters.fit_params_target)[len(target) :]
    parameters.fit_params_target = rest[:size]


def override_tensor(parameters, value, xllamacpp):
    overrides = ",".join(filter(None, [parameters.tensor_buft_overrides, value]))
    try:
        parameters.tensor_buft_overrides = overrides
    except ValueError as error:
        raise Refused(f"--override-tensor: llama.cpp does not take '{value}' ({error}).") from None


def cpu_moe(parameters, value, xllamacpp):
    override_tensor(parameters, f"{EXPERTS}=CPU", xllamacpp)


def n_cpu_moe(parameters, value, xllamacpp):
    for block in range(value):
        override_tensor(parameters, rf"blk\.{block}{EXPERTS}=CPU", xllamacpp)


def alias(parameters, value, xllamacpp):
    parameters.model_alias = set(value)


def api_keys(parameters, value, xllamacpp):
    keys = [line for line in value.splitlines() if line and not line.startswith("#")]
    if not keys:
        # llama-server would start without any key and let everybody in.
        raise Refused("--api-key-file names a file without a key.")
    parameters.api_keys = keys


def timeout(parameters, value, xllamacpp):
    parameters.timeout_read = value
    parameters.timeout_write = value


def threads(parameters, value, xllamacpp):
    parameters.cpuparams.n_threads = value


def threads_batch(parameters, value, xllamacpp):
    parameters.cpuparams_batch.n_threads = value


def put_gpu_layers(parameters, value, xllamacpp):
    if value > 0 and not any("GPU" in device["type"].name for device in xllamacpp.get_device_info()):
        # llama-server would only warn, and serve from main memory what was planned for a GPU.
        raise Refused(f"--gpu-layers {value} needs a GPU, and this build of xllamacpp finds none.")
    parameters.n_gpu_layers = value


def gpu_layers(name, value):
    return {"auto": -1, "all": -2}.get(value) if value in ("auto", "all") else integer(0)(name, value)


def cache_type(name, value):
    return "GGML_TYPE_" + words({kind: kind.upper() for kind in KV_CACHE_TYPES})(name, value)


ON_OFF = words({"on": True, "off": False})
COUNT = integer(1)

# name: (how its value is read, what is done with it)
WITH_VALUE = {
    "--model": (readable_file, lambda parameters, value, xllamacpp: setattr(parameters.model, "path", value)),
    "--alias": (names, alias),
    "--host": (names, put("hostnames")),
    "--port": (integer(1, 65535), put("port")),
    "--ctx-size": (integer(0), ctx_size),
    "--parallel": (integer(-1), put("n_parallel")),
    "--kv-unified-per-slot": (integer(0), put("kv_unified_per_slot")),
    "--predict": (integer(-1), put("n_predict")),
    "--gpu-layers": (gpu_layers, put_gpu_layers),
    "--batch-size": (COUNT, put("n_batch")),
    "--ubatch-size": (COUNT, put("n_ubatch")),
    "--flash-attn": (
        words({"on": "LLAMA_FLASH_ATTN_TYPE_ENABLED", "off": "LLAMA_FLASH_ATTN_TYPE_DISABLED", "auto": "LLAMA_FLASH_ATTN_TYPE_AUTO"}),
        put_enum("flash_attn_type", "llama_flash_attn_type"),
    ),
    "--cache-type-k": (cache_type, put_enum("cache_type_k", "ggml_type")),
    "--cache-type-v": (cache_type, put_enum("cache_type_v", "ggml_type")),
    "--tensor-split": (numbers, tensor_split),
    "--split-mode": (
        words({mode: f"LLAMA_SPLIT_MODE_{mode.upper()}" for mode in ("none", "layer", "row", "tensor")}),
        put_enum("split_mode", "llama_split_mode"),
    ),
    "--main-gpu": (integer(0), put("main_gpu")),
    "--n-cpu-moe": (integer(0, 10000), n_cpu_moe),
    "--override-tensor": (text, override_tensor),
    "--fit": (ON_OFF, put("fit_params")),
    "--fit-target": (numbers, fit_target),
    "--fit-ctx": (COUNT, put("fit_params_min_ctx")),
    "--cache-ram": (integer(-1), put("cache_ram_mib")),
    "--cache-reuse": (integer(0), put("n_cache_reuse")),
    "--ctx-checkpoints": (integer(0), put("n_ctx_checkpoints")),
    "--checkpoint-min-step": (integer(0), put("checkpoint_min_step")),
    "--load-mode": (
        words(
            {
                "auto": "LLAMA_LOAD_MODE_AUTO",
                "none": "LLAMA_LOAD_MODE_NONE",
                "mmap": "LLAMA_LOAD_MODE_MMAP",
                "mlock": "LLAMA_LOAD_MODE_MLOCK",
                "mmap+mlock": "LLAMA_LOAD_MODE_MMAP_MLOCK",
                "dio": "LLAMA_LOAD_MODE_DIRECT_IO",
            }
        ),
        put_enum("load_mode", "llama_load_mode"),
    ),
    "--lazy-mode": (
        words({"on": "LLAMA_LAZY_MODE_ON", "off": "LLAMA_LAZY_MODE_OFF", "auto": "LLAMA_LAZY_MODE_AUTO"}),
        put_enum("lazy_mode", "llama_lazy_mode"),
    ),
    "--numa": (
        words({kind: f"GGML_NUMA_STRATEGY_{kind.upper()}" for kind in ("distribute", "isolate", "numactl")}),
        put_enum("numa", "ggml_numa_strategy"),
    ),
    "--threads": (COUNT, threads),
    "--threads-batch": (COUNT, threads_batch),
    "--threads-http": (integer(-1), put("n_threads_http")),
    "--timeout": (COUNT, timeout),
    "--api-key-file": (lines_of_file, api_keys),
    "--ssl-key-file": (readable_file, put("ssl_file_key")),
    "--ssl-cert-file": (readable_file, put("ssl_file_cert")),
    "--cors-origins": (text, put("cors_origins")),
    "--chat-template": (text, put("chat_template")),
    "--chat-template-file": (lines_of_file, put("chat_template")),
    "--reasoning-format": (
        words(
            {
                "none": "COMMON_REASONING_FORMAT_NONE",
                "auto": "COMMON_REASONING_FORMAT_AUTO",
                "deepseek": "COMMON_REASONING_FORMAT_DEEPSEEK",
                "deepseek-legacy": "COMMON_REASONING_FORMAT_DEEPSEEK_LEGACY",
            }
        ),
        put_enum("reasoning_format", "common_reasoning_format"),
    ),
    "--mmproj": (readable_file, lambda parameters, value, xllamacpp: setattr(parameters.mmproj, "path", value)),
    "--pooling": (
        words({kind: f"LLAMA_POOLING_TYPE_{kind.upper()}" for kind in ("none", "mean", "cls", "last", "rank")}),
        put_enum("pooling_type", "llama_pooling_type"),
    ),
    "--rope-freq-base": (number, put("rope_freq_base")),
    "--rope-freq-scale": (number, put("rope_freq_scale")),
    "--log-verbosity": (integer(0), put("verbosity")),
}

# name: what is done, with the value True or False
SWITCHES = {
    "--kv-unified": (put("kv_unified"), True),
    "--no-kv-unified": (put("kv_unified"), False),
    "--cpu-moe": (cpu_moe, True),
    "--kv-offload": (put("no_kv_offload"), False),
    "--no-kv-offload": (put("no_kv_offload"), True),
    "--op-offload": (put("no_op_offload"), False),
    "--no-op-offload": (put("no_op_offload"), True),
    "--repack": (put("no_extra_bufts"), False),
    "--no-repack": (put("no_extra_bufts"), True),
    "--no-host": (put("no_host"), True),
    "--swa-full": (put("swa_full"), True),
    "--context-shift": (put("ctx_shift"), True),
    "--no-context-shift": (put("ctx_shift"), False),
    "--cont-batching": (put("cont_batching"), True),
    "--no-cont-batching": (put("cont_batching"), False),
    "--cache-prompt": (put("cache_prompt"), True),
    "--no-cache-prompt": (put("cache_prompt"), False),
    "--warmup": (put("warmup"), True),
    "--no-warmup": (put("warmup"), False),
    "--jinja": (put("use_jinja"), True),
    "--no-jinja": (put("use_jinja"), False),
    "--ui": (put("ui"), True),
    "--no-ui": (put("ui"), False),
    "--slots": (put("endpoint_slots"), True),
    "--no-slots": (put("endpoint_slots"), False),
    "--metrics": (put("endpoint_metrics"), True),
    "--embeddings": (put("embedding"), True),
    "--mmproj-offload": (put("mmproj_use_gpu"), True),
    "--no-mmproj-offload": (put("mmproj_use_gpu"), False),
    "--check-tensors": (put("check_tensors"), True),
    "--offline": (put("offline"), True),
    "--log-jsonl": (put("log_json"), True),
    "--no-log-jsonl": (put("log_json"), False),
}

# llama-server's other long names of the same arguments.
SYNONYMS = {
    "--n-gpu-layers": "--gpu-layers",
    "--n-predict": "--predict",
    "--webui": "--ui",
    "--no-webui": "--no-ui",
    "--embedding": "--embeddings",
    "--verbosity": "--log-verbosity",
}
INSTEAD = {"--api-key": "A key on the command line can be read by everybody on the machine: write it into a file and give --api-key-file."}


def parse(arguments):
    """The steps, (name, what to do, value), for a list of arguments; Refused for what is not known."""
    steps = []
    rest = iter(arguments)
    for given in rest:
        name = SYNONYMS.get(given, given)
        if name in SWITCHES:
            apply, value = SWITCHES[name]
        elif name in WITH_VALUE:
            convert, apply = WITH_VALUE[name]
            raw = next(rest, None)
            if raw is None:
                raise Refused(f"{given} needs a value.")
            value = convert(given, raw)
        else:
            raise Refused(_unknown(given))
        steps.append((given, apply, value))
    for required in ("--model", "--host", "--port"):
        if required not in arguments:
            raise Refused(f"{required} is missing.")
    return steps


def _unknown(given):
    if given in INSTEAD:
        return INSTEAD[given]
    near = difflib.get_close_matches(given, [*WITH_VALUE, *SWITCHES], n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"The embedded server does not take the argument '{given}'.{hint}"


def check_environment(environment):
    """llama-server reads LLAMA_ARG_* variables and this server cannot: refuse rather than ignore them."""
    for name in sorted(environment):
        if name.startswith("LLAMA_ARG_") or name == "LLAMA_API_KEY":
            raise Refused(f"The embedded server does not read the environment variable {name}; give the argument instead.")


def main(arguments):
    try:
        check_environment(os.environ)
        steps = parse(arguments)
        try:
            import xllamacpp
        except ImportError as error:
            hint = " It needs the operating system's libgomp and libstdc++ (on Debian libgomp1 and libstdc++6)." if ".so" in str(error) else ""
            raise Refused(f"The Python package xllamacpp can't be imported: {error}.{hint}") from None
        parameters = xllamacpp.CommonParams()
        # llama-server's default, which the package does not share.
        parameters.n_parallel = -1
        for name, apply, value in steps:
            try:
                apply(parameters, value, xllamacpp)
            except (AttributeError, TypeError, ValueError, AssertionError, OverflowError) as error:
                raise Refused(f"This build of xllamacpp can't express {name} ({error}).") from None
    except Refused as refusal:
        print(f"serve.py: {refusal}", file=sys.stderr, flush=True)
        return 2

    # Until the model is loaded the constructor does not return, and SIGTERM's own effect, to end
    # the process, is the right one. From then on requests in flight are given a proper end.
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        print(f"serve.py: llama.cpp did not start; its reason is in the lines above ({error})", file=sys.stderr, flush=True)
        return 1
    stop = threading.Event()
    for number_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number_, lambda *_unused: stop.set())
    print(f"serve.py: listening on {server.listening_address}", file=sys.stderr, flush=True)
    stop.wait()
    # A second signal ends the process at once.
    for number_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number_, signal.SIG_DFL)
    del server
    print("serve.py: stopped", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
