/** How the inspector looks. Colours by their use, for light and dark; a page sets its own by the custom properties of :host. */

export const STYLE: string = `
:host {
  --ground: var(--tabraft-ground, light-dark(#ffffff, #191f27));
  --sunken: var(--tabraft-sunken, light-dark(#eef1f4, #12171e));
  --line: var(--tabraft-line, light-dark(#dde2e8, #2b333e));
  --text: var(--tabraft-text, light-dark(#1b2430, #e6ebf1));
  --muted: var(--tabraft-muted, light-dark(#5a6675, #9aa7b6));
  --accent: var(--tabraft-accent, light-dark(#2f5fb3, #8fb4f5));
  --good: var(--tabraft-good, light-dark(#1d7a46, #6fcf97));
  --warn: var(--tabraft-warn, light-dark(#8a5a00, #f0c05a));
  --bad: var(--tabraft-bad, light-dark(#b3261e, #ff8a80));
  display: block;
  container-type: inline-size;
  color: var(--text);
  font: 400 0.875rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
}
.node, .cells i, .swatch, .rows li {
  --member: oklch(from light-dark(oklch(0.54 0.14 0), oklch(0.74 0.13 0)) l c var(--hue, 258));
  --of-term: oklch(from light-dark(oklch(0.62 0.13 0), oklch(0.7 0.12 0)) l c var(--term, 258));
}
:host([hidden]), [hidden] { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
h3, h4, p, ul, ol, dl, dd { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h3 { font-size: 1rem; font-weight: 600; }
h4 { font-size: 0.8125rem; font-weight: 500; color: var(--muted); }
.panels { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.panel { background: var(--ground); border: 1px solid var(--line); border-radius: 14px; padding: 0.9rem 1rem 1rem; }
.panel > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem; margin-bottom: 0.5rem; }
.count { color: var(--muted); font-size: 0.8125rem; }
.panel > header .count { margin-left: auto; }
.hint, .legend { color: var(--muted); font-size: 0.8125rem; }
.empty { padding: 1.5rem 0; text-align: center; color: var(--muted); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
button, .button { font: inherit; font-weight: 500; color: var(--text); background: var(--ground); border: 1px solid var(--line);
  border-radius: 10px; padding: 0.35rem 0.75rem; min-height: 2.25rem; cursor: pointer; }
button:hover:not(:disabled), .button:hover { border-color: var(--accent); }
button:disabled { opacity: 0.55; cursor: default; }
summary { cursor: pointer; color: var(--muted); padding: 0.25rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.8125rem; }
th, td { text-align: left; font-weight: 400; padding: 0.25rem 0.75rem 0.25rem 0; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { color: var(--muted); border-top: 0; }
tbody th { font-weight: 500; }
tr[data-reach="away"] { color: var(--muted); }

.picture { display: block; width: 100%; max-height: 30rem; overflow: visible; }
.link line { stroke: var(--muted); stroke-width: 1.5; stroke-dasharray: 2 5; opacity: 0.45; }
.link[data-state="linked"] line { stroke: var(--good); stroke-width: 2; stroke-dasharray: none; opacity: 0.6; }
.link[data-state="linked"][data-relayed] line { stroke-dasharray: 8 4; }
.link[data-state="others"] line { stroke: var(--muted); stroke-width: 1.5; stroke-dasharray: 1 5; stroke-linecap: round; opacity: 0.5; }
.link[data-state="away"] line { stroke: var(--bad); }
.picture[data-size="many"] .link line { stroke-width: 1; opacity: 0.3; }
.link text { fill: var(--muted); font-size: 10.5px; paint-order: stroke; stroke: var(--ground); stroke-width: 4px; }
.picture[data-knife] { cursor: crosshair; touch-action: pan-y; user-select: none; -webkit-user-select: none; }
.link .grip { fill: none; stroke: transparent; stroke-width: 26; pointer-events: stroke; cursor: pointer; }
.link[role="button"] { outline: none; }
.link[role="button"]:is(:hover, :focus-visible) line { stroke-width: 4; opacity: 1; }
.link[role="button"]:focus-visible line { stroke: var(--accent); }
.link[data-cut] line { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 10 8; opacity: 0.9; }
.knife { stroke: var(--bad); stroke-width: 2.5; stroke-linecap: round; pointer-events: none; }
.node, .marks { pointer-events: none; }
.node .body { fill: var(--member); pointer-events: auto; }
.node .letters { fill: var(--ground); font-weight: 600; }
.node .track { fill: none; stroke: var(--of-term); stroke-width: 2; opacity: 0.35; }
.node[data-role="leader"] .track { stroke-width: 3; opacity: 1; }
.node .clock { fill: none; stroke: var(--warn); stroke-width: 3; stroke-linecap: round; }
.node[data-role="candidate"] .track, .node[data-role="pre-candidate"] .track { stroke: var(--warn); stroke-width: 4; stroke-dasharray: 5 4; opacity: 1; }
.node .crown { fill: var(--of-term); }
.node .name { fill: var(--text); font-size: 12px; font-weight: 500; }
.node .role { fill: var(--muted); font-size: 10.5px; }
.node text { paint-order: stroke; }
.node .name, .node .role { stroke: var(--ground); stroke-width: 4px; }
.node[data-suffrage="learner"] .body, .node[data-suffrage="none"] .body { fill: var(--ground); stroke: var(--member); stroke-width: 2.5; stroke-dasharray: 4 3; }
.node[data-suffrage="learner"] .letters, .node[data-suffrage="none"] .letters { fill: var(--text); }
.node[data-reach="away"] .body, .node[data-reach="away"] .letters, .node[data-reach="away"] .track { opacity: 0.35; }
.node[data-reach="away"] .role { fill: var(--bad); }
.node[data-hidden] .body { fill-opacity: 0.55; }
.marks circle { fill: var(--muted); }
.marks [data-kind="append"] { fill: var(--accent); }
.marks [data-kind="answer"] { fill: var(--good); }
.marks [data-kind="vote"] { fill: var(--warn); }
.marks [data-kind="snapshot"] { fill: var(--bad); }
.marks [data-kind="call"] { fill: var(--text); }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; margin-top: 0.4rem; }
.legend span { display: inline-flex; align-items: center; gap: 0.4em; }
.legend i.dot { width: 0.6em; height: 0.6em; border-radius: 50%; background: var(--muted); }
.legend i.dot[data-kind="append"] { background: var(--accent); }
.legend i.dot[data-kind="answer"] { background: var(--good); }
.legend i.dot[data-kind="vote"] { background: var(--warn); }
.legend i.dot[data-kind="snapshot"] { background: var(--bad); }
.legend i.dot[data-kind="call"] { background: var(--text); }

.words { display: grid; gap: 0.15rem; margin-top: 0.5rem; grid-template-columns: minmax(0, 1fr); overflow-wrap: anywhere; }
.why { font-weight: 500; }
[data-level="good"] { color: var(--good); }
[data-level="warn"] { color: var(--warn); }
[data-level="bad"] { color: var(--bad); }
.forecast[data-level="good"] { color: var(--muted); }
.decisions { color: var(--muted); font-size: 0.8125rem; margin-top: 0.35rem; }

.charts { display: grid; gap: 0.9rem 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 8.5rem), 1fr)); }
.chart svg { display: block; width: 100%; height: 2.5rem; border-bottom: 1px solid var(--line); overflow: visible; }
.chart path { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.chart .first { stroke: var(--accent); }
.chart .second { stroke: var(--warn); }
.figures { font-size: 0.8125rem; margin-top: 0.2rem; }

.log-panel { display: grid; gap: 0.5rem; grid-template-columns: minmax(0, 1fr); }
.strips { display: grid; gap: 0.3rem; }
.strips li { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: 0.6rem; align-items: center; position: relative; }
.strip-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 0.8125rem; }
.cells { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1.2rem); gap: 2px; height: 1.25rem; }
.cells i { border-radius: 3px; cursor: pointer; border: 1.5px solid transparent; }
.cells i:hover { outline: 2px solid var(--accent); }
.swatch { display: inline-block; width: 0.8em; height: 0.9em; border-radius: 3px; border: 1.5px solid transparent; }
[data-state="applied"]:is(.cells i, .swatch) { background: var(--of-term); }
[data-state="committed"]:is(.cells i, .swatch) { background: color-mix(in oklab, var(--of-term) 55%, var(--ground)); }
[data-state="stored"]:is(.cells i, .swatch) { background: color-mix(in oklab, var(--of-term) 18%, var(--ground)); border-color: var(--of-term); }
[data-state="claimed"]:is(.cells i, .swatch) { border: 1.5px dashed var(--muted); }
[data-state="compacted"]:is(.cells i, .swatch) { background: var(--sunken); }
.cells i:not([data-durable]):is([data-state="stored"], [data-state="committed"]) { border-style: dotted; border-color: var(--warn); }
.cells i[data-replaced] { border-color: var(--bad); }
.cells i[data-snapshot] { box-shadow: 3px 0 0 -1px var(--text); }
.entries { height: 15rem; overflow-y: auto; border: 1px solid var(--line); border-radius: 10px; contain: strict; overscroll-behavior: contain; }
.rows { position: relative; }
.rows li { position: absolute; inset: 0 0 auto; height: 30px; contain: strict; }
.rows button { display: grid; grid-template-columns: 1rem 3.4rem 2.6rem minmax(0, 1fr); gap: 0.4rem; align-items: center; width: 100%; height: 29px;
  min-height: 0; padding: 0 0.6rem; text-align: left; font-weight: 400; border: 0; border-left: 4px solid var(--of-term); border-radius: 0;
  background: color-mix(in oklab, var(--of-term) 6%, var(--ground)); }
.rows button:hover { background: color-mix(in oklab, var(--of-term) 16%, var(--ground)); }
.rows button:focus-visible { outline-offset: -2px; }
.rows .index { text-align: right; }
.rows .term { color: var(--muted); }
.rows .what { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rows .mark { color: var(--good); }
[data-state="pending"] .mark { color: var(--muted); }
.entry { border-left: 4px solid var(--accent); padding: 0.25rem 0 0.25rem 0.75rem; overflow-wrap: anywhere; }
pre { margin: 0.35rem 0 0; padding: 0.5rem 0.6rem; max-height: 12rem; overflow: auto; background: var(--sunken); border-radius: 8px;
  font: 0.8125rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
h3:is(summary h3) { display: inline; color: var(--text); }
.bar { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.travel { display: grid; gap: 0.6rem; margin-top: 0.6rem; border-radius: 10px; grid-template-columns: minmax(0, 1fr); }
.travel[data-over] { outline: 2px dashed var(--accent); outline-offset: 6px; }
.walk { display: grid; gap: 0.5rem; grid-template-columns: minmax(0, 1fr); }
input[type="range"] { width: 100%; accent-color: var(--accent); }
select { font: inherit; color: inherit; background: var(--sunken); border: 1px solid var(--line); border-radius: 10px; padding: 0.35rem 0.5rem; min-height: 2.25rem; }
.call { font-weight: 500; overflow-wrap: anywhere; }
tr[data-changed] td:last-child { color: var(--accent); font-weight: 600; }
@container (max-width: 30rem) {
  .strips li { grid-template-columns: 5rem minmax(0, 1fr); }
  .cells { gap: 1px; }
  .node .name { font-size: 17px; }
  .node .role, .link text { font-size: 14px; }
  .panel { padding: 0.75rem 0.75rem 0.9rem; }
}
`;
