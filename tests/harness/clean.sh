#!/usr/bin/env bash
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later

# Removes what the tests made: environments, caches, containers and images.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

if command -v podman >/dev/null; then
    podman ps --all --quiet --filter label=prositronic.infra=test | xargs --no-run-if-empty podman rm --force --volumes
    podman images --quiet --filter reference='localhost/prositronic-infra/*' | sort -u | xargs --no-run-if-empty podman rmi --force
fi
if [ -d .cache/kube ]; then
    python3 tests/kube/cluster.py down
fi
rm -rf .venv .nox .cache .ansible build tests/output
find . -path ./.git -prune -o -name __pycache__ -type d -print0 | xargs -0 --no-run-if-empty rm -rf
