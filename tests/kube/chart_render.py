# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The chart as helm renders it, as Python values."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

import yaml

ROOT = pathlib.Path(__file__).parents[2]
CHART = ROOT / "charts/llama-server"
CASES = pathlib.Path(__file__).parent / "chart_cases"
BASE = CASES / "base.yaml"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))
RELEASE, NAMESPACE = "chat", "models"
OLDEST, NEWEST = "1.29.0", "1.37.0"
"""The oldest that Chart.yaml allows, the newest that kubernetes-validate knows."""
SINCE = {"dra": "1.34.0", "image": "1.35.0"}


class Loader(yaml.SafeLoader):
    """Refuses what other readers of YAML would take one of at random."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _value in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"twice in one map: {twice}, {node.start_mark}"
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Rendered:
    """C(objects): (kind, name) to object."""

    objects: dict

    def one(self, kind, name=None):
        found = [each for (its, named), each in self.objects.items() if its == kind and name in (None, named)]
        assert len(found) == 1, f"{kind} {name}: {sorted(self.objects)}"
        return found[0]

    def kinds(self):
        return {kind for kind, _name in self.objects}

    @property
    def workload(self):
        return next(self.objects[key] for key in sorted(self.objects) if key[0] in ("Deployment", "LeaderWorkerSet", "StatefulSet"))

    @property
    def pod(self):
        return self.pods()[0]["spec"]

    def pods(self):
        """Every pod or template of one, the server's first."""
        found = []
        for _key, each in sorted(self.objects.items()):
            if each["kind"] == "Pod":
                found.append(each)
            elif each["kind"] == "LeaderWorkerSet":
                found += [each["spec"]["leaderWorkerTemplate"][name] for name in ("leaderTemplate", "workerTemplate")]
            elif "template" in each.get("spec", {}):
                found.append(each["spec"]["template"])
        return sorted(found, key=lambda pod: pod["spec"]["containers"][0]["name"] != "server")

    @property
    def server(self):
        (container,) = [each for each in self.pod["containers"] if each["name"] == "server"]
        return container


def command(what, case, *options, version=NEWEST, chart=CHART):
    files = ["--values", str(BASE)]
    if case != "base":
        files += ["--values", str(CASES / f"{case}.yaml")]
    name = [RELEASE] if what == "template" else []
    return ["helm", what, *name, str(chart), "--namespace", NAMESPACE, "--kube-version", version, *files, *options]


def parse(text):
    objects = {}
    for each in yaml.load_all(text, Loader):
        if each is not None:
            key = (each["kind"], each["metadata"]["name"])
            assert key not in objects, key
            objects[key] = each
    return Rendered(objects)
