/**
 * How the page of a reference looks, and the few lines of script in it.
 *
 * Owns: colours for light and dark, type and space, and the filter of the index. Nothing is loaded
 * from elsewhere; without scripts only the filter is missing.
 */

export const style = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fdfcfa, #16181b);
  --panel: light-dark(#f5f2ec, #1c1f23);
  --raised: light-dark(#ffffff, #202429);
  --ink: light-dark(#22262b, #dfe3e8);
  --soft: light-dark(#6a7078, #949ca6);
  --line: light-dark(#e5e0d6, #2d3238);
  --accent: light-dark(#0f6a73, #6cc5cf);
  --keyword: light-dark(#8a3d7a, #d99acb);
  --string: light-dark(#4c6b1f, #b2cf85);
  --number: light-dark(#a3541a, #e3a877);
  --comment: light-dark(#7d8189, #7f8892);
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --text: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 var(--text); text-rendering: optimizeLegibility;
  display: grid; grid-template-columns: 17.5rem minmax(0, 1fr);
}
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; text-underline-offset: 0.2em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }

nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.75rem 1.25rem 3rem 1.75rem;
  background: var(--panel); border-right: 1px solid var(--line); font-size: 0.9rem; line-height: 1.45;
}
nav h1 { font-size: 1.05rem; line-height: 1.3; margin: 0 0 1rem; }
nav h1 a { color: inherit; }
nav input {
  width: 100%; margin: 0 0 1.25rem; padding: 0.4rem 0.65rem; font: inherit; color: inherit;
  background: var(--raised); border: 1px solid var(--line); border-radius: 6px;
}
nav h2 {
  margin: 1.25rem 0 0.35rem; font-size: 0.72rem; font-weight: 600; letter-spacing: 0.08em;
  text-transform: uppercase; color: var(--soft);
}
nav ul { list-style: none; margin: 0; padding: 0; }
nav li > a { display: block; padding: 0.12rem 0; overflow-wrap: anywhere; }
nav .file > a { color: var(--ink); }
nav .file ul { margin: 0 0 0.4rem; padding-left: 0.8rem; border-left: 1px solid var(--line); }
nav .file ul a { font-family: var(--mono); font-size: 0.8rem; }

main { padding: 3rem clamp(1.25rem, 5vw, 4.5rem) 8rem; max-width: 64rem; }
main > header { margin-bottom: 3.5rem; }
main > header h1 { font-size: 2.1rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 0.5rem; }
main > header p { color: var(--soft); margin: 0; }
section.module { padding-top: 1rem; margin-bottom: 5rem; }
section.module > h2 {
  font: 600 1.35rem/1.3 var(--mono); margin: 0 0 1rem; padding-bottom: 0.6rem;
  border-bottom: 2px solid var(--ink);
}
section.module > h2 .folder { color: var(--soft); font-weight: 400; }
p { margin: 0 0 0.9rem; max-width: 46rem; }
article { margin: 2.75rem 0 0; padding-top: 1.5rem; border-top: 1px solid var(--line); }
article > h3 { display: flex; align-items: baseline; gap: 0.75rem; margin: 0 0 0.6rem; font: 600 1.2rem/1.3 var(--mono); }
article > h3 a { color: inherit; }
.kind {
  font: 500 0.7rem/1 var(--text); letter-spacing: 0.05em; text-transform: uppercase; color: var(--accent);
  border: 1px solid currentColor; border-radius: 99px; padding: 0.26rem 0.6rem 0.22rem; opacity: 0.9;
}
h4 {
  margin: 1.5rem 0 0.5rem; font-size: 0.72rem; font-weight: 600; letter-spacing: 0.08em;
  text-transform: uppercase; color: var(--soft);
}

code, pre { font-family: var(--mono); font-variant-ligatures: none; }
code { font-size: 0.86em; }
pre code { font-size: inherit; }
p code, td code:only-child { overflow-wrap: anywhere; }
pre {
  margin: 0 0 1rem; padding: 0.85rem 1.1rem; overflow-x: auto; font-size: 0.83rem; line-height: 1.6;
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px; tab-size: 2;
}
pre.layout { background: none; border: 0; border-left: 3px solid var(--line); border-radius: 0; padding: 0.1rem 1rem; color: var(--soft); }
pre a { color: inherit; text-decoration: underline; text-decoration-color: color-mix(in srgb, var(--accent) 55%, transparent); text-underline-offset: 0.2em; }
pre a:hover { color: var(--accent); }
.keyword { color: var(--keyword); } .string { color: var(--string); } .number { color: var(--number); }
.comment { color: var(--comment); } .doc { color: var(--comment); font-style: italic; }

.wide { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: 0.88rem; line-height: 1.5; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 1.5rem 0.35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: 0.78rem; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td.name { white-space: nowrap; }
td.number { font-variant-numeric: tabular-nums; color: inherit; }
td > div + div { margin-top: 0.15rem; }
td > div > .soft:only-child { display: block; width: 12rem; }
.line { white-space: nowrap; }
.soft { color: var(--soft); }
.related { font-size: 0.9rem; color: var(--soft); margin: 0.25rem 0; }
details { margin: 1.75rem 0 0; }
summary { cursor: pointer; color: var(--soft); font-size: 0.88rem; }
details > pre { margin-top: 0.75rem; }

@media (max-width: 52rem) {
  body { display: block; }
  nav { position: static; height: auto; max-height: 18rem; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding-top: 2rem; }
}
@media print {
  body { display: block; } nav, details { display: none; } article { break-inside: avoid; }
}
`;

export const script = `
const filter = document.querySelector("nav input");
filter.hidden = false;
filter.addEventListener("input", () => {
  const wanted = filter.value.trim().toLowerCase();
  const fits = (item) => item.textContent.toLowerCase().includes(wanted);
  for (const file of document.querySelectorAll("nav .file")) {
    const isWhole = file.firstElementChild.textContent.toLowerCase().includes(wanted);
    for (const block of file.querySelectorAll("li")) block.hidden = !isWhole && !fits(block);
    file.hidden = !fits(file);
  }
  for (const heading of document.querySelectorAll("nav h2")) {
    const files = [...heading.nextElementSibling.children];
    heading.hidden = files.every((file) => file.hidden);
  }
});
`;
