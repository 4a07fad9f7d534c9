# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real llama-server for the machines of servers, as images and as a release archive: llama.cpp's own registry and releases are not asked.

Both are made of the packages that these machines have of Debian's unstable, so all targets run the same build. A second image is of
a newer build, by its name, and does not start.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import checkout

HERE = pathlib.Path(__file__).with_name("servers")
# As the tag of an image of llama.cpp's own, which stays.
NAME = "localhost/llama.cpp:server-vulkan-b{}"


def folder(machine: str, models: pathlib.Path, settings: dict[str, str]) -> pathlib.Path:
    """The folder with everything, made when it is not there or of other definitions. C(machine): the image of the machines. C(models): has tiny.gguf.

    facts.json in it says which C(build) it is, the names of C(image) and C(broken_image), which are both in image.tar, and C(archive) with its C(sha256).
    """
    place = checkout.CACHE / "servers"
    stamp = "\0".join((machine, *(path.read_text(encoding="utf-8") for path in (pathlib.Path(__file__), *sorted(HERE.iterdir())))))
    done = place / "stamp"
    if done.exists() and done.read_text(encoding="utf-8") == stamp:
        return place / "made"
    shutil.rmtree(place, ignore_errors=True)
    made = place / "made"
    made.mkdir(parents=True)
    volumes = [f"--volume={HERE}:/definitions:ro", f"--volume={models}:/models:ro", f"--volume={made}:/made"]
    command = ["podman", "run", "--rm", "--network=none", *volumes, machine, "sh", "/definitions/make.sh"]
    subprocess.run(command, env={**os.environ, **settings}, check=True, stdin=subprocess.DEVNULL)
    build = int((made / "build").read_text(encoding="utf-8"))
    facts = {"build": build, "image": NAME.format(build), "broken_image": NAME.format(build + 1)}
    images(made / "image.tar", made / "root.tar", {facts["image"]: "/app/llama-server", facts["broken_image"]: "/app/broken"})
    (made / "root.tar").unlink()
    (archive,) = made.glob("llama-b*.tar.gz")
    facts.update(archive=archive.name, sha256=_sha256(archive))
    (made / "facts.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    done.write_text(stamp, encoding="utf-8")
    return made


def images(to: pathlib.Path, root: pathlib.Path, programs: dict[str, str]) -> None:
    """Write an archive that 'podman load' and 'docker load' read: images of one file system, each with a program of its own."""
    layer = _sha256(root)
    manifest = []
    with tarfile.open(to, "w") as archive:
        archive.add(root, "layer.tar")
        for name, program in programs.items():
            config = {
                "architecture": "amd64", "os": "linux",
                "config": {"Entrypoint": [program], "WorkingDir": "/app", "Env": ["LLAMA_ARG_HOST=0.0.0.0"]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
            }  # fmt: skip
            content = json.dumps(config).encode()
            file = f"{hashlib.sha256(content).hexdigest()}.json"
            _add(archive, file, content)
            manifest.append({"Config": file, "RepoTags": [name], "Layers": ["layer.tar"]})
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
