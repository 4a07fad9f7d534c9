# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the benchmarks, all or those named: python tests/benchmarks [facts] [header] [remote] [memory] [plan] [plans] [inventory]."""

from __future__ import annotations

import argparse
import importlib
import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).parents[1] / "harness"))

import checkout

ALL = ("facts", "header", "remote", "memory", "plan", "plans", "inventory")


def main():
    parser = argparse.ArgumentParser(prog="python tests/benchmarks", description="Measures this collection. README.md says what each figure means.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(ALL)}; without one all of them")
    names = parser.parse_args().names or ALL
    for name in names:
        if name not in ALL:
            parser.error(f"no benchmark '{name}'; there are {', '.join(ALL)}")
    # So that the collection can be imported by its full name without Ansible.
    sys.path.insert(1, str(checkout.linked()))
    print(f"Python {sys.version.split()[0]}")
    for name in names:
        print()
        importlib.import_module(name).main()


if __name__ == "__main__":
    main()
