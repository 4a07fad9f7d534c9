# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What of a server is not as it should be. Looks, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.prositronic.infra.plugins.module_utils._server.instance import fingerprint
from ansible_collections.prositronic.infra.plugins.module_utils._service import secrets
from ansible_collections.prositronic.infra.plugins.module_utils._service.files import content_of, mode_of
from ansible_collections.prositronic.infra.plugins.module_utils._service.images import RUNS_ANOTHER


@dataclass(frozen=True)
class Changes:
    """C(texts): path -> (text before, text after) of files whose text differs, None for no file. C(modes): files of another mode alone.

    C(secrets): those to give anew. C(problems): sentences.
    C(unfinished): the files are right, but the server was last healthy with others. C(marks): of what the server reads when it starts, as it is now.
    """

    texts: dict = field(default_factory=dict)
    modes: tuple = ()
    secrets: tuple = ()
    reread: tuple = ()
    image_missing: bool = False
    replaces: object = None
    unfinished: bool = False
    problems: tuple = ()
    marks: dict = field(default_factory=dict)

    @property
    def restarts(self):
        """Whether what runs is not what should: then starting is not enough."""
        return bool(self.texts or self.secrets or self.reread or self.replaces or self.unfinished or RUNS_ANOTHER in self.problems)

    def reasons(self):
        found = [f"{'made' if before is None else 'removed' if after is None else 'changed'}: {path}" for path, (before, after) in self.texts.items()]
        found += [f"mode: {path}" for path in self.modes]
        found += [f"secret: {secret.id}" for secret in self.secrets]
        found += [f"changed: {path}" for path in self.reread]
        found += ["the image is not there"] if self.image_missing else []
        found += [f"it ran by {self.replaces.target}"] if self.replaces else []
        found += ["an earlier run was cut short"] if self.unfinished else []
        return found + list(self.problems)


def changes(made, service, remembered, watched):
    """The Changes from what the node has to a Deployment. C(service): a Unit or Project. C(watched): more files that the server reads when it starts."""
    texts = {file.path: (content_of(file.path), file.content) for file in made.files}
    texts.update({path: (content_of(path), None) for path in remembered.known_paths if path not in made.paths})
    modes = tuple(file.path for file in made.files if mode_of(file.path) not in (None, file.mode))
    marks = {path: fingerprint(path) for path in sorted({*watched, *(secret.file for secret in made.secrets if secret.file)})}
    before = remembered.marks
    last = remembered.deployment
    texts = {path: sides for path, sides in texts.items() if sides[0] != sides[1]}
    return Changes(
        texts=texts,
        modes=modes,
        secrets=tuple(secret for secret in made.secrets if secrets.wrong(secret, service.run, before) or (secret.file and _other(before, marks, secret.file))),
        # Where nothing is remembered, nothing says that it is another file than the server has read.
        reread=tuple(path for path in watched if _other(before, marks, path)),
        image_missing=made.image is not None and service.images.id_of(made.image) is None,
        replaces=last if last is not None and last.target != made.target else None,
        unfinished=not texts and last is not None and last.files != made.files,
        problems=tuple(service.problems()),
        marks=marks,
    )


def _other(before, now, path):
    return path in before and before[path] != now[path]
