#!/bin/sh
# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# The server of an image that does not start.
echo "error: this build is broken, for the tests" >&2
exit 1
