# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What llama.cpp reserves for a computation: its graph, who computes what, and where results lie.

compute.py asks; architectures/ builds the graph out of blocks.py; scheduler.py and allocator.py do with it what ggml does.
"""
