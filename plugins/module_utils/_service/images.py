# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether an image is there, and bringing it: by pulling, or from an archive on the node."""

from __future__ import annotations

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

RUNS_ANOTHER = "it runs another image"
"""A problem for which starting is not enough."""


class Images:
    """The images of C(engine), asked by C(run): argv -> (status, output, errors)."""

    def __init__(self, engine, run):
        self.engine = engine
        self._run = run

    def id_of(self, image):
        """None where the engine has none of that name."""
        return self._id("image", image, "{{.Id}}")

    def id_in(self, container):
        """The image that a container was made from, None where there is no such container."""
        return self._id("container", container, "{{.Image}}")

    def runs_another(self, container, image):
        """Whether the container that runs was made from something else than C(image) is by now."""
        runs = self.id_in(container)
        return runs is not None and runs != self.id_of(image)

    def _id(self, kind, name, template):
        status, output, _errors = self._run([self.engine, kind, "inspect", "--format", template, name])
        return output.strip().partition(":")[2] or output.strip() if status == 0 else None

    def bring(self, image, archive):
        """Pull it, or load it from C(archive). Raises InfraError where it isn't there afterwards."""
        argv = [self.engine, "pull", "--quiet", image] if archive is None else [self.engine, "load", "--quiet", "--input", archive]
        status, output, errors = self._run(argv)
        if status != 0:
            raise InfraError("the image can't be brought to the node", image, shown(errors.strip() or output.strip()), fix=_fix(archive))
        if self.id_of(image) is None:
            raise InfraError("the archive does not hold the image", archive, shown(output.strip()), image)


def _fix(archive):
    return "Give image_archive, an archive that 'podman save' or 'docker save' made, where the registry can't be reached" if archive is None else None
