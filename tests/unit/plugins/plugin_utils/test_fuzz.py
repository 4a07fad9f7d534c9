# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""llama_memory and llama_plan on models that are absurd: an answer or an InfraError."""

from __future__ import annotations

import random

import pytest

from ansible_collections.prositronic.infra.tests.fuzz import bounds, headers, models, replay, subject
from ansible_collections.prositronic.infra.tests.fuzz.properties import by_chance
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make

BASES = [subject.read(make.header(base.pairs, base.tensors)) for base in headers.bases()]
CORPUS = replay.models()


def test_what_is_made_absurd_can_be_planned():
    question = {**models.question(random.Random(0)), "devices": [{"free_bytes": 1 << 30}], "settings": {}, "wishes": {}}
    outcomes = {model["architecture"]: replay.name(subject.ask(model, question)) for model in BASES}
    assert outcomes["llama"] == outcomes["qwen3moe"] == outcomes["gemma3"] == replay.NO_ERROR


@by_chance(examples=200)
def test_an_absurd_model_gives_an_answer_or_an_error(chance):
    subject.ask(models.absurd(chance, chance.choice(BASES)), models.question(chance))


@by_chance(examples=100)
def test_a_model_read_from_a_damaged_header_gives_an_answer_or_an_error(chance):
    model = subject.read(headers.damaged(chance, chance.choice(headers.bases())))
    if isinstance(model, dict):
        subject.ask(model, models.question(chance))


@pytest.mark.parametrize("path, model, question", CORPUS, ids=[path.stem for path, _model, _question in CORPUS])
def test_what_was_found_before(path, model, question):
    outcome = bounds.within(lambda: replay.name(subject.ask(model, question)))
    assert outcome == replay.expected(path)
