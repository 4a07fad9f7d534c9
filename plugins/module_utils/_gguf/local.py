# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Models on this machine's file systems."""

from __future__ import annotations

import os
import stat

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.model import build_model
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.names import part_name, shard_names
from ansible_collections.prositronic.infra.plugins.module_utils._gguf.shards import read_files


def read_local(path, find=None):
    """The model dict of a local file, its further shards included.

    C(find) turns the path into that of an existing file; without it the path is taken as given.
    """
    if "\0" in path or not path:
        raise InfraError("this is no path", where=shown(path), expected="the path of a .gguf file")
    names = shard_names(os.path.abspath(path if find is None else find(path)))
    sources = (LocalFile(name, part_name(number, len(names))) for number, name in enumerate(names, 1))
    return build_model(path, read_files(sources, len(names)))


class LocalFile:
    """A source for cursor.py."""

    url = None
    sha256 = None

    def __init__(self, path, part="the model file"):
        self.path = path
        self.label = path
        try:
            status = os.stat(path)
            # A pipe would block, a device may have no end.
            if not stat.S_ISREG(status.st_mode):
                kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
                raise InfraError(f"{part} is {kind}", where=path, expected="a .gguf file", fix="Give the path of the file itself.")
            self.size = status.st_size
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by __exit__
        except FileNotFoundError:
            fix = "Check the path." if part == "the model file" else "All shards of a model must lie side by side, with the names they were published under."
            raise InfraError(f"{part} does not exist", where=path, fix=fix) from None
        except OSError as error:
            raise self._unreadable(error) from None
        except ValueError:  # a character that no file system has
            raise InfraError("this is no path", where=shown(path), expected="the path of a .gguf file") from None

    def read_at(self, offset, length):
        chunks = []
        try:
            self._file.seek(offset)
            while length > 0:
                chunk = self._file.read(length)
                if not chunk:
                    break
                chunks.append(chunk)
                length -= len(chunk)
        except OSError as error:
            raise self._unreadable(error) from None
        return b"".join(chunks)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._file.close()

    def _unreadable(self, error):
        return InfraError("can't be read", where=self.path, got=error.strerror, fix="Check the permissions and the file system.")
