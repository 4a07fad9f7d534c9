# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Package repositories that a node is configured with. Private: not an interface for other collections."""

from __future__ import annotations

import configparser
import re

# NVIDIA's repositories for the toolkit and what came before it, and mirrors, which keep the name.
_NVIDIA = re.compile(r"nvidia\.github\.io/|/(?:libnvidia-container|nvidia-docker|nvidia-container-runtime)(?:/|$)")
_ONE_LINE = re.compile(r"deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(\S+)")


def read(tree):
    """Every file with a repository that is switched on and holds NVIDIA's Container Toolkit: a list of {path, urls, others}.

    C(others) are the other repositories in the same file. A file of the toolkit's name is one whatever its address.
    """
    found = []
    for path, urls in _files(tree):
        named = path.rpartition("/")[2].startswith("nvidia-container-toolkit.")
        nvidia = [url for url in urls if named or _NVIDIA.search(url)]
        if nvidia:
            found.append({"path": path, "urls": nvidia, "others": [url for url in urls if url not in nvidia]})
    return found


def _files(tree):
    for path in ("/etc/apt/sources.list", *_in(tree, "/etc/apt/sources.list.d", ".list")):
        yield path, [match.group(1) for match in map(_ONE_LINE.match, _lines(tree.text(path))) if match]
    for path in _in(tree, "/etc/apt/sources.list.d", ".sources"):
        yield path, list(_deb822(tree.text(path) or ""))
    for directory in ("/etc/yum.repos.d", "/etc/zypp/repos.d"):
        for path in _in(tree, directory, ".repo"):
            yield path, list(_sections(tree.text(path) or ""))


def _in(tree, directory, ending):
    return [f"{directory}/{name}" for name in tree.names(directory) if name.endswith(ending)]


def _lines(text):
    return [line.strip() for line in (text or "").splitlines()]


def _deb822(text):
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        unfolded = re.sub(r"\n[ \t]+", " ", "\n".join(lines))
        fields = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in unfolded.splitlines())}
        if fields.get("enabled", "yes").lower() not in ("no", "false", "0", "off", "without", "disable"):
            yield from fields.get("uris", "").split()


def _sections(text):
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for name in parser.sections():
        if parser.get(name, "enabled", fallback="1").strip().lower() in ("1", "yes", "true", "on"):
            yield from parser.get(name, "baseurl", fallback="").split()
