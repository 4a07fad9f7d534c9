# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Stands in for the plugin helm-diff where helmfile asks 'helm diff upgrade': what 'helm template' renders against what 'helm get' says is installed.

It exits 0 for no change, 1 for an error, and, with --detailed-exitcode, 2 for a change. Helm itself takes the options of the connection and the namespace,
and hands them on in the environment. An option that it does not know is an error: it could be one that changes what is rendered.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys

HELM = os.environ.get("HELM_BIN", "helm")
# Those of helm-diff that say what is rendered, and are Helm's own too.
RENDER = (
    "values",
    "set",
    "set-string",
    "set-json",
    "set-file",
    "set-literal",
    "version",
    "api-versions",
    "kube-version",
    "post-renderer",
    "post-renderer-args",
)
RENDER_SWITCHES = ("devel", "skip-schema-validation", "enable-dns", "disable-openapi-validation")
# Those that say how a difference is shown, or that matter only to real helm-diff.
SHOWN = ("context", "output", "suppress", "suppress-output-line-regex", "find-renames")
SHOWN_SWITCHES = (
    "allow-unreleased", "color", "no-color", "strip-trailing-cr", "normalize-manifests", "show-secrets", "suppress-secrets", "reset-values", "reuse-values",
    "three-way-merge", "include-tests", "take-ownership", "disable-validation",
)  # fmt: skip
TEST = re.compile(r"^\s+[\"']?helm\.sh/hook[\"']?:.*\btest\b", re.MULTILINE)


class Stop(Exception):
    """What went wrong."""


def main(arguments: list[str]) -> int:
    try:
        options = parser().parse_args(arguments)
        old, new = installed(options.release), rendered(options)
    except Stop as problem:
        print(f"diff (stand-in): {problem}", file=sys.stderr)
        return 1
    for name in sorted(old.keys() | new.keys()):
        show(name, old.get(name, ""), new.get(name, ""))
    return 2 if old != new and options.detailed_exitcode else 0


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="helm diff", allow_abbrev=False, exit_on_error=False)
    found.error = lambda message: (_ for _ in ()).throw(Stop(message))
    found.add_argument("command", choices=["upgrade"])
    found.add_argument("release")
    found.add_argument("chart")
    found.add_argument("--detailed-exitcode", action="store_true")
    found.add_argument("--no-hooks", action="store_true")
    for name in RENDER + SHOWN:
        found.add_argument(f"--{name}", *(["-f"] if name == "values" else []), action="append", default=[])
    for name in RENDER_SWITCHES + SHOWN_SWITCHES:
        found.add_argument(f"--{name}", action="store_true")
    return found


def installed(release: str) -> dict[str, str]:
    """Empty where the release is not installed."""
    parts = []
    for part in ("manifest", "hooks"):
        done = helm("get", part, release)
        if done.returncode != 0:
            if "release: not found" in done.stderr:
                return {}
            raise Stop(done.stderr.strip())
        parts.append(done.stdout)
    return documents("\n---\n".join(parts))


def rendered(options: argparse.Namespace) -> dict[str, str]:
    known = vars(options)
    chosen = [f"--{name}={value}" for name in RENDER for value in known[name.replace("-", "_")]]
    chosen += [f"--{name}" for name in (*RENDER_SWITCHES, "no-hooks") if known[name.replace("-", "_")]]
    upgrade = ["--is-upgrade"] if helm("status", options.release).returncode == 0 else []
    # Asked of the cluster, as an installation does: which kinds it knows, and whether it takes these.
    asked = [] if options.disable_validation else ["--validate"]
    done = helm("template", options.release, options.chart, *asked, *upgrade, *chosen)
    if done.returncode != 0:
        raise Stop(done.stderr.strip())
    return documents(done.stdout)


def documents(text: str) -> dict[str, str]:
    """By kind and name. Both sides are of one engine: text that differs is an object that differs."""
    found = {}
    for document in re.split(r"^---\s*$", text, flags=re.MULTILINE):
        lines = [line.rstrip() for line in document.splitlines() if line.strip() and not line.startswith("# Source:")]
        body = "\n".join(lines)
        if lines and not TEST.search(body):
            # Two of one kind and name in one namespace: none of them may get lost.
            name = title(body)
            found[name] = f"{found[name]}\n{body}" if name in found else body
    return found


def title(body: str) -> str:
    kind = re.search(r"^kind: (\S+)", body, re.MULTILINE)
    name = re.search(r"^metadata:\n(?:  .*\n)*?  name: (\S+)", f"{body}\n", re.MULTILINE)
    return f"{kind[1] if kind else '?'} {name[1] if name else '?'}"


def show(name: str, old: str, new: str) -> None:
    if old == new:
        return
    print(f"{name}: {'changed' if old and new else 'new' if new else 'removed'}")
    if not name.startswith("Secret "):
        print("\n".join(f"  {line}" for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)))


def helm(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
