# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The installed archive: nothing strayed into it, and ansible-doc shows every plugin and role entry point in it.

usage: archive.py COLLECTIONS_PATH, with ansible-doc on PATH and ANSIBLE_COLLECTIONS_PATH set
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import checkout
import yaml

# folder under plugins/ to the type's name in ansible-doc
TYPES = {
    'become': 'become', 'cache': 'cache', 'callback': 'callback', 'connection': 'connection', 'filter': 'filter', 'inventory': 'inventory',
    'lookup': 'lookup', 'modules': 'module', 'shell': 'shell', 'strategy': 'strategy', 'test': 'test', 'vars': 'vars',
}  # fmt: skip
EXPECTED = {
    'CHANGELOG.md', 'CHANGELOG.rst', 'FILES.json', 'LICENSE', 'MANIFEST.json', 'Makefile', 'README.md', 'changelogs', 'charts', 'docs', 'examples',
    'extensions', 'helmfile.yaml.gotmpl', 'meta', 'noxfile.py', 'playbooks', 'plugins', 'pyproject.toml', 'roles', 'tests',
}  # fmt: skip


def main(path: str) -> int:
    collection = pathlib.Path(path) / checkout.INSIDE
    strays = sorted({entry.name for entry in collection.iterdir()} - EXPECTED)
    problems = [f"{name} is in the archive: add it to build_ignore in galaxy.yml, or expect it in {__file__}" for name in strays]
    seen = 0
    for folder, kind in TYPES.items():
        names = _plugins(collection / "plugins" / folder)
        seen += len(names)
        problems += _undocumented(kind, names) if names else []
    for role in sorted((collection / "roles").glob("[a-z]*")):
        seen += 1
        problems += _unspecified(role)
    print(*problems, f"{seen} plugins and roles, {len(problems)} problems", sep="\n")
    return 1 if problems or not seen else 0


def _plugins(folder: pathlib.Path) -> list[str]:
    """Plugin names, by their full name. A YAML file documents a filter whose Python file has another name."""
    stems = {file.stem for pattern in ("*.py", "*.yml") for file in folder.glob(pattern)}
    return sorted(f"{checkout.NAME}.{stem}" for stem in stems if not stem.startswith("_"))


def _undocumented(kind: str, names: list[str]) -> list[str]:
    listed = _ansible_doc("--type", kind, "--list", checkout.NAME)
    problems = [f"{kind} {name}: in the archive, but ansible-doc does not list it" for name in names if name not in listed]
    for name in sorted(listed):
        shown = _ansible_doc("--type", kind, name).get(name, {})
        missing = [part for part in ("doc", "examples", "return") if not shown.get(part)]
        problems += [f"{kind} {name}: no {' and no '.join(missing)}"] if missing else []
    return problems


def _unspecified(role: pathlib.Path) -> list[str]:
    name = f"{checkout.NAME}.{role.name}"
    specification = role / "meta" / "argument_specs.yml"
    if not specification.exists():
        return [f"role {name}: no meta/argument_specs.yml"]
    points = yaml.safe_load(specification.read_text(encoding="utf-8"))["argument_specs"]
    shown = _ansible_doc("--type", "role", name).get(name, {}).get("entry_points", {})
    problems = [f"role {name}: no tasks/{point}.yml for the entry point" for point in points if not (role / "tasks" / f"{point}.yml").exists()]
    return problems + [f"role {name}: ansible-doc does not show the entry point {point}" for point in points if not shown.get(point)]


def _ansible_doc(*arguments: str) -> dict:
    command = ["ansible-doc", "--json", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        print(*command, answer.stderr)
        return {}
    return json.loads(answer.stdout)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
