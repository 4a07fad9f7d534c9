# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The start-up log of llama-server: where it is, and what it says. Private: not an interface for other collections.

A log is written by others and may be huge, damaged or made to mislead: whatever is read here has a limit of bytes and of time, and nothing raises.
"""
