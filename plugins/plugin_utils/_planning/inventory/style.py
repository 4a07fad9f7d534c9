# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The looks of the page, by day and by night, on paper too."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --back: #fff; --soft: #f3f4f6; --line: #d0d7de; --faint: #57606a;
  --good: #1a7f37; --half: #9a6700; --cpu: #0969da; --bad: #cf222e;
  --weights: #2f6fde; --kv: #8250df; --compute: #d4a72c; --checkpoints: #2da44e; --cache: #b6bec8; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --back: #0d1117; --soft: #161b22; --line: #30363d; --faint: #9198a1;
  --good: #3fb950; --half: #d29922; --cpu: #58a6ff; --bad: #ff7b72; --weights: #4f8bff; --kv: #a371f7; --cache: #6e7681; } }
* { box-sizing: border-box; }
body { margin: 2rem auto; padding: 0 1.5rem; max-width: 84rem; color: var(--text); background: var(--back); font: 15px/1.5 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 2rem; } h3 { margin: 0 0 .25rem; font-size: 1rem; }
p { margin: .25rem 0; } small { color: var(--faint); } a { color: inherit; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; } th, td { padding: .4rem .7rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--soft); }
td a { text-decoration: none; } td a:hover { text-decoration: underline; }
td.gpu, section.gpu, li.gpu { border-left: 4px solid var(--good); } td.part, section.part, li.part { border-left: 4px solid var(--half); }
td.cpu, section.cpu, li.cpu { border-left: 4px solid var(--cpu); } td.no, section.no, li.no { border-left: 4px solid var(--bad); }
td.error, section.error, li.error { border-left: 4px solid var(--faint); }
td.no a, section.no > p b, .told.over b, p.error, section.error p { color: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; margin: .8rem 0; list-style: none; }
li.gpu, li.part, li.cpu, li.no, li.error { padding-left: .5rem; }
.mark { display: inline-block; width: .8rem; height: .8rem; vertical-align: -.1rem; }
details { margin: .8rem 0; border: 1px solid var(--line); border-radius: 6px; } summary { padding: .6rem .9rem; background: var(--soft); cursor: pointer; }
details > p { padding: .5rem .9rem; } section { margin: .9rem; padding: .1rem .9rem; } section ul { margin: .2rem 0; }
.memory { display: grid; grid-template-columns: max-content minmax(10rem, 26rem) 1fr; gap: .5rem .9rem; align-items: start; margin: .6rem 0; }
.bar { position: relative; display: flex; height: 1.3rem; background: var(--soft); border: 1px solid var(--line); overflow: hidden; }
.bar.over { border-color: var(--bad); } .bar span { flex: none; min-width: 1px; }
.bar i { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--text); }
.weights { background: var(--weights); } .kv { background: var(--kv); } .compute { background: var(--compute); }
.checkpoints { background: var(--checkpoints); } .cache_ram { background: var(--cache); } .mark.budget { width: 2px; background: var(--text); }
pre { padding: .5rem .7rem; background: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
@media print { body { max-width: none; } details { break-inside: avoid; } }
@media (max-width: 50rem) { .memory { grid-template-columns: max-content 1fr; } .memory > div:nth-child(3n) { grid-column: 1 / -1; } }
"""
