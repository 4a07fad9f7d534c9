# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Stands in for the pip bootstrap script that ansible-test would download: the same pip, from the interpreter's own bundle and PyPI."""

from __future__ import annotations

import ensurepip
import os
import runpy
import sys

# ensurepip turns pip's configuration off for its own process, which this one still needs.
environment = dict(os.environ)
ensurepip.bootstrap(default_pip=True)
os.environ.clear()
os.environ.update(environment)

arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv[1:] = ["install", "--quiet", "--upgrade", *arguments]
runpy.run_module("pip", run_name="__main__")
