// The style of a report: light or dark like the reader's system, and light on paper.

export const styleSheet = `
:root { color-scheme: light dark; --ink: #1f2328; --muted: #57606a; --paper: #fff; --line: #d0d7de; --bad: #b3261e; --good: #1a6b34;
  --c0: #0b62b8; --c1: #a84300; --c2: #1a6b34; --c3: #7a3ea8; --c4: #b3261e; --c5: #6b5d00; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --muted: #a5aeb8; --paper: #16191d; --line: #3d444d; --bad: #ff8f85; --good: #6fd08c;
  --c0: #6cb6ff; --c1: #ffa657; --c2: #6fd08c; --c3: #d2a8ff; --c4: #ff8f85; --c5: #e3cf57; } }
@media print { :root { color-scheme: light; } }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 3rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid var(--line); }
h1, h2, figcaption { break-after: avoid; }
small, .note, .none, dt, th small { color: var(--muted); }
bdi { overflow-wrap: anywhere; unicode-bidi: isolate; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .5rem 1.2rem; }
dl div { break-inside: avoid; } dt { font-size: .85rem; } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, th.text, td.text { text-align: left; }
tbody th { font-weight: 600; }
/* In a table a word that is broken anywhere would be broken everywhere. */
th bdi { overflow-wrap: break-word; }
tr, figure { break-inside: avoid; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }
figure > svg { width: 100%; height: auto; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .2rem 0; padding: 0; list-style: none; font-size: .85rem; }
.grid { stroke: var(--line); } text { fill: var(--muted); font-size: 11px; }
.left, .end { text-anchor: end; } .left { dominant-baseline: middle; } .middle { text-anchor: middle; }
.line { fill: none; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
.bad { color: var(--bad); } .good { color: var(--good); }
pre { padding: .8rem; border: 1px solid var(--line); border-radius: 4px; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; unicode-bidi: plaintext; }
.stop { margin: 2.2rem 0; } .stop h2 { margin-top: 0; } .stop img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 4px; }
.stop tr.highlighted th { border-left: 4px solid var(--bad); }
@media print { body { max-width: none; padding: 0; font-size: 11px; } .scroll { overflow: visible; } pre { font-size: 10px; } }
`;
