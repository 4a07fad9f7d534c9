# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a node has to a server that is healthy, and back where it doesn't become healthy."""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import dataclass, field

from ansible_collections.prositronic.infra.plugins.module_utils._download.atomic import remove
from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._service import leftovers, secrets
from ansible_collections.prositronic.infra.plugins.module_utils._service.changes import changes
from ansible_collections.prositronic.infra.plugins.module_utils._service.compose import Project
from ansible_collections.prositronic.infra.plugins.module_utils._service.files import content_of, mode_of, refuse_foreign, stage, write
from ansible_collections.prositronic.infra.plugins.module_utils._service.reason import NotHealthy, read, reason
from ansible_collections.prositronic.infra.plugins.module_utils._service.systemd import Unit


@dataclass
class Outcome:
    """What was done, or in check mode would be. C(diff): (path, before, after) each."""

    reasons: list = field(default_factory=list)
    diff: list = field(default_factory=list)
    restarted: bool = False

    @property
    def changed(self):
        return bool(self.reasons)


@dataclass(frozen=True)
class Options:
    """C(watched): files that the server reads when it starts, beside its secrets. C(archive): of the image, None to pull."""

    watched: tuple = ()
    archive: str | None = None
    check_mode: bool = False


def service_of(made, run):
    """What runs a Deployment. C(run): (argv, environment) -> (status, output, errors)."""
    return Project(made, run) if made.target == "compose" else Unit(made, run)


def ensure_started(made, remembered, run, options):
    """Returns an Outcome when the server is healthy. Raises InfraError when it is not; what was there before runs again then."""
    service = service_of(made, run)
    service.require(options.check_mode)
    refuse_foreign(made.files, remembered.known_paths)
    found = changes(made, service, remembered, options.watched)
    outcome = Outcome(found.reasons(), [(path, *sides) for path, sides in found.texts.items()], found.restarts)
    if found.texts and service.can_check():
        _check(made, run)
    if options.check_mode:
        return outcome
    if made.release is not None:
        remembered.note_brought(leftovers.release(made.release))
    if found.image_missing:
        service.images.bring(made.image, options.archive)
        remembered.note_brought(leftovers.image(service.images.engine, made.image))
    if outcome.changed:
        before = {path: (content_of(path), mode_of(path)) for path in (*remembered.known_paths, *made.paths)}
        remembered.note_paths(made.paths)
        since = time.time()
        try:
            _apply(made, service, found, run)
        except InfraError as error:
            _go_back(made, service, remembered, before, run, error, since)
    remembered.note_healthy(made, found.marks)
    return outcome


def ensure_absent(made, remembered, run, check_mode):
    """Returns an Outcome when nothing of the server is left. C(made): None where it is only remembered."""
    made = remembered.deployment or made
    outcome = Outcome()
    if made is None:
        return _forget(remembered, run, check_mode)
    service = service_of(made, run)
    paths = [path for path in dict.fromkeys((*remembered.known_paths, *made.paths)) if content_of(path) is not None]
    refuse_foreign([file for file in made.files if file.path in paths], remembered.known_paths)
    if service.exists():
        outcome.reasons.append("it exists")
    outcome.reasons += [f"removed: {path}" for path in paths]
    outcome.diff = [(path, content_of(path), None) for path in paths]
    if check_mode:
        return outcome
    if outcome.changed:
        _remove(made, service, dict.fromkeys((*remembered.known_paths, *made.paths)))
    leftovers.remove(remembered, service.run)
    if remembered.forget() and not outcome.changed:
        outcome.reasons.append("it was remembered")
    return outcome


def _forget(remembered, run, check_mode):
    """Of a server that was never healthy: its files are gone, or something else has to say how it is stopped."""
    if any(content_of(path) is not None for path in remembered.known_paths):
        raise InfraError("this server was never healthy, so nothing says how it is stopped", remembered.path, fix="Deploy it once more, or give manifests")
    outcome = Outcome(["what was brought for it"] if remembered.brought else [])
    if not check_mode:
        leftovers.remove(remembered, lambda argv: run(argv, {}))
        remembered.forget()
    return outcome


def _check(made, run):
    """The program that will read the files reads them, before they replace the old ones."""
    with tempfile.TemporaryDirectory(prefix="llama-server-") as directory:
        main = stage(made.files, directory)
        environment = {name: value.replace("%s", directory) for name, value in made.check["environment"].items()}
        argv = [word.replace("%s", main) for word in made.check["argv"]]
        status, output, errors = run(argv, environment)
        if status != 0:
            said = (errors.strip() or output.strip()).replace(directory, "")
            raise InfraError(f"{argv[0]} does not take the new files, and the old ones stay", made.files[0].path, shown(said))


def _apply(made, service, found, run):
    if found.replaces is not None:
        old = found.replaces
        _remove(old, service_of(old, run), [path for path in old.paths if path not in made.paths])
    for file in made.files:
        if file.path in found.texts or file.path in found.modes:
            write(file.path, file.content, file.mode)
    for path, (_before, after) in found.texts.items():
        if after is None:
            remove(path)
    for secret in found.secrets:
        secrets.give(secret, service.run)
    service.start(reload=bool(found.texts), restart=found.restarts)


def _remove(made, service, paths):
    if service.exists():
        service.stop()
    for path in paths:
        remove(path)
    service.removed()
    for secret in made.secrets:
        secrets.take(secret, service.run)


def _go_back(made, service, remembered, before, run, error, since):
    """Put back what was there, and raise what went wrong with the reason that the log gives."""
    text = service.log(since)
    log = read(made.unit, text)
    why = reason(log, text) or error.got or error.what
    with contextlib.suppress(InfraError):
        service.stop()
    last = remembered.deployment
    if last is not None and last.plain() == made.plain():
        raise NotHealthy(log, error.what, error.where, why, None, "Nothing of it was changed, so there is nothing to go back to") from None
    for secret in made.secrets:
        if last is None or secret not in last.secrets:
            secrets.take(secret, service.run)
    if last is not None:
        for file in last.files:
            write(file.path, file.content, file.mode)
        for path in made.paths:
            if path not in last.paths:
                remove(path)
        done = _start_again(last, run)
    else:
        for path, (text, mode) in before.items():
            if text is None:
                remove(path)
            else:
                write(path, text, mode)
        with contextlib.suppress(InfraError):
            service.removed()
        done = "It was stopped, and its files are as they were before"
    raise NotHealthy(log, error.what, error.where, why, None, done) from None


def _start_again(last, run):
    service = service_of(last, run)
    try:
        # Another target has removed what it has no use for.
        for secret in last.secrets:
            if secret.file is not None:
                secrets.give(secret, service.run)
        service.start(reload=True, restart=True)
    except InfraError as error:
        return f"The version before was put back and does not become healthy either: {error.got or error.what}"
    return "The version before was put back and runs"
