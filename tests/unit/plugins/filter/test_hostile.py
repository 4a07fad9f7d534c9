# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters with what they are not meant for: an answer or one error of Ansible's, soon and in little memory."""

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleError

from ansible_collections.prositronic.infra.plugins.filter import best_quantization, llama_memory, llama_plan, llama_report
from ansible_collections.prositronic.infra.plugins.plugin_utils._memory import settings
from ansible_collections.prositronic.infra.plugins.plugin_utils._planning import wishes
from ansible_collections.prositronic.infra.tests.fuzz import bounds, headers, replay, subject
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils import truth
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._planning.test_node import FULL_DESCRIPTION, FULL_FACTS, SHARED_DESCRIPTION, paths

GIB = 1024**3
MODELS = [subject.read(make.header(base.pairs, base.tensors)) for base in headers.bases()[:3]]
MOE = MODELS[1]
NODE = {"gpus": [{"model": "nvidia-l4", "count": 2}], "ram_bytes": 64 * GIB}
DEVICES = [{"free_bytes": 24 * GIB}] * 2

plan = llama_plan.FilterModule().filters()["llama_plan"]
memory = llama_memory.FilterModule().filters()["llama_memory"]
best = best_quantization.FilterModule().filters()["best_quantization"]
report = llama_report.FilterModule().filters()["llama_report"]


def answer(function, *args, **kwargs):
    """'answer', or the error's text, which is one short line. Anything else is raised."""
    try:
        function(*args, **kwargs)
    except AnsibleError as error:
        text = str(error)
        assert text.isprintable() and len(text) <= 2 * subject.LONGEST_MESSAGE, text[:300]
        return text
    return "answer"


def deep(levels, inner=0):
    value = inner
    for _level in range(levels):
        value = [value]
    return value


HYPERPARAMETERS = {
    "blocks 2^31": {"block_count": 1 << 31},
    "blocks 0": {"block_count": 0},
    "blocks nan": {"block_count": float("nan")},
    "heads of another length": {"attention.head_count": [4, 4, 4]},
    "heads without an end": {"attention.head_count": [4] * 1_000_000},
    "heads none": {"attention.head_count": []},
    "heads negative": {"attention.head_count_kv": [-1, 1]},
    "heads 2^32": {"attention.head_count": 1 << 32},
    "experts 2^31": {"expert_count": 1 << 31},
    "experts used 2^31": {"expert_used_count": 1 << 31},
    "embedding 0": {"embedding_length": 0},
    "embedding 2^63": {"embedding_length": 1 << 63},
    "context 0": {"context_length": 0},
    "context 2^63": {"context_length": 1 << 63},
    "vocabulary 2^40": {"vocab_size": 1 << 40},
    "feed forward inf": {"feed_forward_length": float("inf")},
    "next-token blocks 2^31": {"nextn_predict_layers": 1 << 31},
    "text for a number": {"block_count": "2"},
    "a whole number of 5000 digits": {"block_count": 10**5000},
}


@pytest.mark.parametrize("name", HYPERPARAMETERS)
def test_hyperparameters_that_would_make_long_loops_are_refused(name):
    for model in (MODELS[0], MOE):
        odd = {**model, "hyperparameters": {**model["hyperparameters"], **HYPERPARAMETERS[name]}}
        for ask in (lambda odd=odd: answer(plan, odd, NODE), lambda odd=odd: answer(memory, odd, DEVICES)):
            outcome = bounds.within_here(ask)
            unused = "feed" in name or "vocabulary" in name or ("experts" in name and model is not MOE)
            assert outcome == "answer" if unused and outcome == "answer" else next(iter(HYPERPARAMETERS[name])) in outcome


def test_a_graph_that_is_built_whole_has_an_end():
    many = copy.deepcopy(truth.plain("minimax-m3.gguf"))
    blocks = many["hyperparameters"]["block_count"]
    for key, value in many["hyperparameters"].items():
        if isinstance(value, list) and len(value) == blocks:
            many["hyperparameters"][key] = (value * 512)[:512]
    many["hyperparameters"]["block_count"] = 512
    for function, node in ((plan, NODE), (memory, DEVICES)):
        outcome = bounds.within_here(lambda function=function, node=node: answer(function, many, node))
        assert "'minimax-m3.block_count' can't be right (got 512, expected at most 128 for this architecture)" in outcome


@pytest.mark.parametrize("parallel", [257, 1 << 30])
def test_more_slots_than_llama_cpp_has_are_refused(parallel):
    outcome = bounds.within_here(lambda: answer(memory, truth.plain("minimax-m3.gguf"), DEVICES, parallel=parallel, ctx_size=1 << 20))
    assert "settings.parallel: too large" in outcome


def test_a_graph_with_a_part_for_each_of_the_most_slots_has_an_end():
    """It is no damaged input, only a large one: a second or two."""
    assert bounds.within(lambda: answer(memory, truth.plain("minimax-m3.gguf"), DEVICES, parallel=256, ctx_size=1 << 20), seconds=10) == "answer"


def test_values_that_are_no_numbers_do_no_harm_where_no_rule_needs_them():
    for value in (float("nan"), float("inf"), "\x1b[2J", [float("nan")] * 2):
        odd = {**MOE, "hyperparameters": {**MOE["hyperparameters"], "rope.freq_base": value}}
        assert bounds.within(lambda odd=odd: answer(plan, odd, NODE)) == "answer"


@pytest.mark.parametrize("path, model, question", replay.models(), ids=[path.stem for path, _model, _question in replay.models()])
def test_what_was_found_before_is_an_error_of_ansible(path, model, question):
    assert bounds.within(lambda: answer(memory, model, question["devices"], **question["settings"])) != "answer"
    bounds.within(lambda: answer(plan, model, question["node"], **question["wishes"]))


VALUES = (
    True, 0, -1, 1, 1 << 31, 1 << 63, 10**5000, 1.5, float("inf"), float("nan"), "", "x", "24 GiB", "9" * 5000, "\u0661", "\x1b[2J\n", "a" * 100_000,
    [], [1], [-1], [None], [{}], [float("nan")], [float("inf"), 1], [10**400], ["(=CPU"], ["a{99999999999}=CPU"], ["(" * 5000 + "=CPU"], ["x=\x1b"],
    "inf,nan", "1e400,1", {}, {"x": 1}, {"min": 1, "max": 10**400}, deep(2000),
)  # fmt: skip


@pytest.mark.parametrize("option", [*settings.SPEC, "a" * 100_000, "\x1b[2J"])
def test_any_value_of_an_option_of_llama_memory(option):
    outcomes = [bounds.within_here(lambda value=value: answer(memory, MOE, DEVICES, **{option: value})) for value in VALUES]
    assert all(outcome == "answer" or outcome.startswith(("settings", ascii(option[:50])[1:-1])) for outcome in outcomes)
    assert sum(outcome != "answer" for outcome in outcomes) > 15


@pytest.mark.parametrize("option", [*wishes.SPEC, "a" * 100_000, "\x1b[2J"])
def test_any_value_of_an_option_of_llama_plan(option):
    outcomes = [bounds.within_here(lambda value=value: answer(plan, MOE, NODE, **{option: value})) for value in VALUES]
    assert all(outcome == "answer" or outcome.startswith(("llama_plan", "settings", ascii(option[:50])[1:-1])) for outcome in outcomes)
    assert sum(outcome != "answer" for outcome in outcomes) > 15


def test_any_devices_of_llama_memory():
    asked = [*VALUES, *([value] for value in VALUES), *([{"free_bytes": value}] for value in VALUES), *([{"name": value, "free_bytes": 1}] for value in VALUES)]
    outcomes = [bounds.within_here(lambda devices=devices: answer(memory, MOE, devices)) for devices in [*asked, [{"free_bytes": 1}] * 100_000]]
    assert all(outcome == "answer" or outcome.startswith("devices") for outcome in outcomes)
    assert "too many devices" in outcomes[-1]


FIGURES = (True, -1, 1 << 31, (1 << 63) - 1, 1 << 63, 10**5000, float("inf"), float("nan"), "\x1b[2J", "a" * 100_000, [1], {"\x1b": 1})


@pytest.mark.parametrize("node", [FULL_FACTS, FULL_DESCRIPTION, SHARED_DESCRIPTION], ids=["facts", "description", "shared"])
def test_any_value_anywhere_in_a_node(node):
    """What the node takes the plan must be able to work with."""
    changed = []
    for path in list(paths(node))[1:]:
        for value in FIGURES:
            changed.append(copy.deepcopy(node))
            place = changed[-1]
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
    outcomes = [bounds.within_here(lambda one=one: answer(plan, MOE, one)) for one in changed]
    assert all(outcome == "answer" or outcome.startswith("node") for outcome in outcomes)
    assert "answer" in outcomes and sum(outcome != "answer" for outcome in outcomes) > len(outcomes) // 3


@pytest.mark.parametrize("value", [None, True, 5, "x", [], {}, [{}], [None], deep(100_000), {"architecture": deep(70)}], ids=lambda value: str(type(value)))
def test_what_is_no_model(value):
    for ask in (lambda: answer(plan, value, NODE), lambda: answer(memory, value, DEVICES), lambda: answer(best, value, NODE), lambda: answer(report, value)):
        assert bounds.within(ask) != "answer"


def test_a_list_within_itself():
    endless = []
    endless.append(endless)
    assert "lists and dictionaries within each other, too deep" in bounds.within(lambda: answer(plan, MOE, endless))
    assert "lists and dictionaries within each other, too deep" in bounds.within(lambda: answer(plan, MOE, NODE, devices=endless))


@pytest.mark.parametrize(
    "models, node, options, message",
    [
        ([], NODE, {}, "best_quantization: no model to choose from"),
        ({}, NODE, {}, "best_quantization: not a list"),
        ([MOE, 5], NODE, {}, "best_quantization[1]: not a dictionary"),
        ([MOE, {}], NODE, {}, "model: the model has no 'architecture'"),
        ([MOE], {}, {}, "the node's 'host' is missing"),
        ([MOE], NODE, {"ctx_sise": 1}, "unknown option 'ctx_sise'. Did you mean 'ctx_size'?"),
        ([MOE], NODE, {"allow_cpu": False, "backend": "cpu"}, "allow_cpu=false and backend=cpu exclude each other"),
    ],
)
def test_best_quantization_refuses_what_llama_plan_does(models, node, options, message):
    assert message in answer(best, models, node, **options)


def test_arguments_that_are_missing_or_too_many():
    assert "missing a required argument: 'node'" in answer(plan, MOE)
    assert "too many positional arguments" in answer(memory, MOE, [], [])
    assert "multiple values for argument 'node'" in answer(plan, MOE, NODE, node=NODE)


def test_names_do_nothing_to_a_terminal():
    made = plan({**MOE, "name": "\x1b[2JM\n\u202e", "quantization": "\x9b"}, {**NODE, "name": "n"}, ctx_size=512)
    assert made["model"]["name"] == " [2JM  "
    made["node"]["name"] = "\x1b[2J"
    made["server"]["args"].append("\u202e\n")
    assert all(line.isprintable() for line in report(made).split("\n"))
