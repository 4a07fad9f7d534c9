#!/usr/bin/env bash
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes .venv, the environment that runs nox. Every other environment is made by nox itself.
set -euo pipefail

python="${1:?usage: bootstrap.sh PYTHON VENV}"
venv="${2:?usage: bootstrap.sh PYTHON VENV}"
here="$(dirname -- "${BASH_SOURCE[0]}")"

stop() {
    echo "$1" >&2
    exit 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    || stop "The tests need Python 3.11 or newer: install it, or name it with 'make PYTHON=/path/to/python3'."

# Debian and Ubuntu keep the part of the standard library that makes virtual environments in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get update -q </dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3-venv </dev/null
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null \
        || stop "$python cannot make virtual environments: install the package python3-venv."
fi

"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements/nox.txt"
