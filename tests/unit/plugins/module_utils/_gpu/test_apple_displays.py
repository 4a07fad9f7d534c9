# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What system_profiler prints, where the fixtures don't reach."""

from __future__ import annotations

import json

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu import apple_displays

NOTHING = {"gpu_cores": None, "metal_family": None, "display_attached": None}


def read(answering, text, rc=0):
    return apple_displays.read(answering(lambda *arguments: (rc, text, ""), "system_profiler"), "Apple M3 Max")


def test_the_row_of_this_gpu_counts(answering):
    rows = [{"sppci_model": "Intel UHD"}, {"sppci_model": "Apple M3 Max", "sppci_cores": "30", "spdisplays_mtlgpufamilysupport": "spdisplays_metal3"}]
    assert read(answering, json.dumps({"SPDisplaysDataType": rows})) == {"gpu_cores": 30, "metal_family": "metal3", "display_attached": False}


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"SPDisplaysDataType": null}', '{"SPDisplaysDataType": [1]}', '{"SPDisplaysDataType": []}'])
def test_no_answer_is_nothing_told(answering, text):
    assert read(answering, text) == NOTHING


@pytest.mark.parametrize("cores", ["", "many", "-1", "0", "99999", "1" * 500, 30, None, []])
def test_cores_that_are_none(answering, cores):
    found = read(answering, json.dumps({"SPDisplaysDataType": [{"sppci_model": "Apple M3 Max", "sppci_cores": cores, "spdisplays_mtlgpufamilysupport": 3}]}))
    assert (found["gpu_cores"], found["metal_family"]) == (None, None)


def test_a_mac_without_the_program(nothing):
    assert apple_displays.read(nothing, "Apple M3 Max") == NOTHING
