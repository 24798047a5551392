/**
 * What the pages of reports share: their looks, light or dark as the reader's system is, and writing
 * text into HTML.
 */

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

export const pageStyle = `
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1d2126;--quiet:#646b75;--line:#dfe2e6;--card:#fff;--bar:#4c78a8;
--c0:#cfe0f3;--c1:#d6ecd2;--c2:#fbe3c4;--c3:#e6daf3;--c4:#f8d6d3;--c5:#cfece8;--c6:#f4ecb8;--c7:#e2e4e8}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e6e8eb;--quiet:#98a1ac;--line:#30363d;--card:#1c2026;--bar:#6ea0d6;
--c0:#274364;--c1:#2b4d2c;--c2:#5e431c;--c3:#453060;--c4:#602f2c;--c5:#1f4f4a;--c6:#544a17;--c7:#3a4048}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;margin:40px 0 12px}h3{font-size:15px;margin:26px 0 8px}
small{font-weight:400;color:var(--quiet);font-size:.8em}p{margin:6px 0}.quiet{color:var(--quiet)}
code{font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin:0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:9px 12px}
dt{color:var(--quiet);font-size:12.5px}dd{margin:0}.facts dd{font-size:18px;font-variant-numeric:tabular-nums}
.formulas{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px;margin:12px 0}
.formulas dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}.formulas dt{padding-top:2px}
summary{cursor:pointer;color:var(--quiet);margin-top:8px}
.picture{margin:18px 0 4px}.crumbs{min-height:26px;font-size:13.5px}.crumbs button{all:unset;cursor:pointer;color:var(--bar);text-decoration:underline}
.chart{position:relative;overflow:hidden}
.bar{all:unset;box-sizing:border-box;position:absolute;border-radius:3px;padding:0 5px;font-size:12px;line-height:24px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;cursor:pointer;border-right:1px solid var(--bg)}
.bar:hover{filter:brightness(.93)}.bar:focus-visible,.fold:focus-visible,.crumbs button:focus-visible{outline:2px solid var(--bar);outline-offset:-2px}
.bar.top{background:var(--c7)!important;font-weight:600}
${Array.from({ length: 8 }, (_, i) => `.c${i}{background:var(--c${i})}`).join("")}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:24px;margin-top:22px}
.wide{grid-template-columns:1fr}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:3px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--quiet);font-weight:500}th:first-child,td.name{text-align:left}
td.share{position:relative;min-width:110px}td.share i{position:absolute;left:8px;top:7px;bottom:7px;background:var(--bar);opacity:.28;border-radius:2px;max-width:calc(100% - 16px)}td.share span{position:relative}
.fold{all:unset;display:inline-block;width:1.1em;cursor:pointer;color:var(--quiet)}
#tip{position:fixed;z-index:2;max-width:420px;background:var(--card);border:1px solid var(--line);border-radius:7px;padding:7px 10px;font-size:13px;box-shadow:0 4px 16px #0003;pointer-events:none;overflow-wrap:anywhere}
@media(max-width:560px){.pair{grid-template-columns:1fr}main{padding:18px 12px}}
`;
