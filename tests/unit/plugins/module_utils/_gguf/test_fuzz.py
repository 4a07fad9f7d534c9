# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Headers damaged at random, and those that were found that way before."""

from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.tests.fuzz import bounds, headers, replay, subject
from ansible_collections.prositronic.infra.tests.fuzz.properties import by_chance
from ansible_collections.prositronic.infra.tests.unit.plugins.module_utils._gguf import gguf_bytes as make

BASES = headers.bases()
CORPUS = replay.headers()


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.architecture)
def test_what_is_damaged_was_good(base):
    model = subject.read(make.header(base.pairs, base.tensors))
    assert model["architecture"] == base.architecture
    assert headers.take_apart(make.header(base.pairs, base.tensors)) == base


@by_chance(examples=200)
def test_a_damaged_header_gives_a_model_or_an_error(chance):
    subject.read(headers.damaged(chance, chance.choice(BASES)))


@by_chance(examples=100)
def test_any_bytes_behind_the_counts_give_a_model_or_an_error(chance):
    whole = make.header([], [], tensor_count=chance.randrange(4), pair_count=chance.randrange(4))
    subject.read(whole + bytes(chance.randrange(256) for _byte in range(chance.randrange(200))))


@pytest.mark.parametrize("path, data", CORPUS, ids=[path.stem for path, _data in CORPUS])
def test_what_was_found_before(path, data):
    outcome = bounds.within(lambda: replay.name(subject.read(data)))
    assert outcome == replay.expected(path)
