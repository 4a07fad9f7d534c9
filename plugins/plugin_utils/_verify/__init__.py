# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a running server is the planned one, and what it measured. Private: not an interface for other collections.

differences.py  the comparison: what differs, what was compared, what could not be
findings.py     collects them
inputs.py       the plan and what a server says, checked
served.py       what the server says over HTTP
started.py      what it logged of its start: layers, devices, buffers, context
held.py         what its processes hold
causes.py       why
tolerance.py    how far a figure may be off
measured.py     predicted and measured side by side
"""
