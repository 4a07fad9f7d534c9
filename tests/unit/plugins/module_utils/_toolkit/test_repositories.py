# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._gpu.tree import Tree
from ansible_collections.prositronic.infra.plugins.module_utils._toolkit.repositories import read

NVIDIA = "https://nvidia.github.io/libnvidia-container/stable/deb/amd64"


@pytest.fixture
def files(tmp_path):
    def write(path, text):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return read(Tree(str(tmp_path)))

    return write


@pytest.mark.parametrize(
    ("path", "text", "urls", "others"),
    [
        ("etc/apt/sources.list.d/nvidia-docker.list", f"# a\ndeb [signed-by=/a.gpg] {NVIDIA} /\n#deb {NVIDIA}/b /\n", [NVIDIA], []),
        ("etc/apt/sources.list", f"deb http://deb.debian.org/debian trixie main\ndeb {NVIDIA} /\n", [NVIDIA], ["http://deb.debian.org/debian"]),
        ("etc/apt/sources.list.d/a.sources", f"Types: deb\nURIs: {NVIDIA}\n  https://example.com/b\nSuites: /\n", [NVIDIA], ["https://example.com/b"]),
        ("etc/apt/sources.list.d/b.sources", f"Types: deb\n# a\nURIs: {NVIDIA}\nEnabled: yes\n", [NVIDIA], []),
        ("etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://mirror.example.com/libnvidia-container/stable/rpm/$basearch\n",
         ["https://mirror.example.com/libnvidia-container/stable/rpm/$basearch"], []),
        ("etc/zypp/repos.d/nvidia-container-toolkit.repo", "[a]\nbaseurl=https://mirror.example.com/x\n", ["https://mirror.example.com/x"], []),
        ("etc/zypp/repos.d/a.repo", f"[a]\nenabled=1\nbaseurl={NVIDIA}\n[b]\nbaseurl=https://example.com/b\n", [NVIDIA], ["https://example.com/b"]),
    ],
)  # fmt: skip
def test_a_repository_of_the_toolkit_is_found_with_its_neighbours(files, path, text, urls, others):
    assert files(path, text) == [{"path": f"/{path}", "urls": urls, "others": others}]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/apt/sources.list.d/a.list", f"# deb {NVIDIA} /\n"),
        ("etc/apt/sources.list.d/a.list.bak", f"deb {NVIDIA} /\n"),
        ("etc/apt/sources.list.d/a.sources", f"Types: deb\nEnabled: no\nURIs: {NVIDIA}\n"),
        ("etc/apt/sources.list.d/cuda.list", "deb https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/ /\n"),
        ("etc/yum.repos.d/a.repo", f"[a]\nenabled=0\nbaseurl={NVIDIA}\n"),
        ("etc/yum.repos.d/broken.repo", f"baseurl={NVIDIA}\n"),
    ],
)
def test_what_is_switched_off_or_of_something_else_is_not(files, path, text):
    assert files(path, text) == []
