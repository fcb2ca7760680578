# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""The style sheet of evidence: on paper, in the light and in the dark."""
from __future__ import annotations

STYLE = """
:root { --ink:#1b1f24; --quiet:#5b6570; --line:#d9dee4; --paper:#fff; --raised:#f5f7f9;
        --good:#12703a; --bad:#b3211c; --open:#8a5a00; --mark:#1b1f24 }
@media (prefers-color-scheme: dark) {
  :root { --ink:#e6e9ed; --quiet:#9aa5b1; --line:#333b45; --paper:#14181d; --raised:#1c2229;
          --good:#5ecb8b; --bad:#ff8078; --open:#e6b450 } }
* { box-sizing:border-box }
body { margin:0; background:var(--paper); color:var(--ink);
       font:15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif }
body.passed { --mark:var(--good) } body.failed { --mark:var(--bad) } body.incomplete { --mark:var(--open) }
main { max-width:62rem; margin:0 auto; padding:2.5rem 1.5rem 4rem }
header { border-left:.4rem solid var(--mark); padding-left:1.2rem; margin-bottom:2rem }
h1 { font-size:1.9rem; line-height:1.2; margin:.1rem 0 .4rem } h2 { font-size:1.05rem; margin:0 0 .6rem }
p { margin:.2rem 0 } section { margin:2.2rem 0 }
.kicker { text-transform:uppercase; letter-spacing:.08em; font-size:.75rem; color:var(--quiet) }
.id, .hash, dd, .pair { font-family:ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", monospace; font-size:.85em;
                        overflow-wrap:anywhere }
.id { font-weight:400; color:var(--quiet) } .quiet { color:var(--quiet); font-size:.875rem }
.verdict strong { color:var(--mark); font-size:1.25rem }
.figures { display:grid; grid-template-columns:repeat(auto-fit, minmax(13rem, 1fr)); gap:1rem }
.card { background:var(--raised); border:1px solid var(--line); border-radius:.4rem; padding:.9rem 1.1rem }
.card h2 { font-size:.875rem; color:var(--quiet); font-weight:600; margin:0 }
.value { font-size:1.6rem; font-weight:600 } .judged { font-size:.875rem; font-weight:600; margin-top:.4rem }
.card.ok .judged { color:var(--good) } .card.failed .judged { color:var(--bad) }
.card.none .judged { color:var(--quiet); font-weight:400 }
table { width:100%; border-collapse:collapse } th, td { text-align:left; vertical-align:top; padding:.35rem .6rem }
thead th { font-size:.8rem; color:var(--quiet); border-bottom:2px solid var(--line) }
tbody td { border-bottom:1px solid var(--line) } .level th { padding-top:1rem; border-bottom:1px solid var(--line) }
.level span { font-weight:400; color:var(--quiet) } .number { text-align:right; white-space:nowrap }
.result { white-space:nowrap; width:6.5rem } tr.ok b, tr.ok .result { color:var(--good) }
tr.failed .result { color:var(--bad); font-weight:700 } tr.not_run .result { color:var(--open) }
.pair { display:grid; grid-template-columns:auto 1fr; gap:0 .6rem; margin:.3rem 0 0 } .pair dt { color:var(--quiet) }
dl.facts { display:grid; grid-template-columns:minmax(9rem, 15rem) 1fr; gap:.25rem 1rem; margin:0 }
dl { align-items:baseline } .facts dt { color:var(--quiet) } dd { margin:0 } .pair dd { font-size:1em }
ul { margin:0; padding-left:1.2rem }
.phases td { border:0; padding:.15rem .6rem } .bar { width:60% }
.bar i { display:block; height:.7rem; margin-top:.4rem; background:var(--quiet); border-radius:.15rem; min-width:2px }
@media print {
  :root { --ink:#000; --quiet:#444; --line:#bbb; --paper:#fff; --raised:#fff; --good:#0a5a2c;
          --bad:#a00; --open:#6b4600 }
  body { font-size:10pt; -webkit-print-color-adjust:exact; print-color-adjust:exact } main { max-width:none; padding:0 }
  section { margin:1.2rem 0 } tr, .card, li { break-inside:avoid } h2, .level { break-after:avoid }
  thead { display:table-header-group } @page { margin:16mm } }
"""
