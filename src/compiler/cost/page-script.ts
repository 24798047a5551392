/**
 * What runs in a cost page: the picture, its zoom, what is under the pointer, and rows that fold.
 *
 * Owns: that script, as text. It reads the data that page.ts puts beside it and loads nothing.
 */

export const pageScript = `
"use strict";
const entries = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");
const rowHeight = 26;

function element(name, attributes, text) {
  const made = document.createElement(name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
}

function percent(part, whole) {
  if (!whole) return "";
  const value = (100 * part) / whole;
  return value < 0.05 ? "<0.1 %" : value.toFixed(1) + " %";
}

function showTip(node, total, event) {
  tip.replaceChildren(
    element("strong", {}, node.path || "all"),
    element("div", {}, node.count + "  " + percent(node.value, total)),
    element("div", { class: "quiet" }, node.scalar === "0" ? "" : node.scalar + " scalar operations"),
    element("div", { class: "quiet" }, node.parameters === "0" ? "" : node.parameters + " parameters"),
    element("div", { class: "quiet" }, node.dispatches ? node.dispatches + " dispatches" : ""),
  );
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
  tip.style.top = Math.max(4, Math.min(event.clientY + 16, innerHeight - box.height - 8)) + "px";
}

function depthOf(node) {
  return 1 + Math.max(0, ...node.parts.filter((part) => part.value > 0).map(depthOf));
}

/** Every part as a bar: its width is its share, below it lie the parts of the part. */
function drawPicture(place, entry) {
  const root = entry.tree;
  const crumbs = element("div", { class: "crumbs" });
  const chart = element("div", { class: "chart", role: "img", "aria-label": "Share of every part" });
  place.replaceChildren(crumbs, chart);
  const zoom = (trail) => {
    const top = trail[trail.length - 1];
    crumbs.replaceChildren();
    trail.forEach((node, i) => {
      if (i > 0) crumbs.append(" › ");
      const name = i === 0 ? entry.name : node.name;
      if (i === trail.length - 1) return crumbs.append(element("span", {}, name));
      const button = element("button", { type: "button" }, name);
      button.onclick = () => zoom(trail.slice(0, i + 1));
      crumbs.append(button);
    });
    if (trail.length === 1) crumbs.append(element("span", { class: "quiet" }, "  choose a part to look inside"));
    chart.replaceChildren();
    chart.style.height = depthOf(top) * rowHeight + "px";
    const width = chart.clientWidth || 900;
    const draw = (node, left, size, level, path) => {
      const bar = element("button", { type: "button", class: "bar c" + (node.color % 8) });
      bar.style.cssText =
        "left:" + left * 100 + "%;width:" + size * 100 + "%;top:" + level * rowHeight + "px;height:" + (rowHeight - 2) + "px";
      if (node === top) bar.classList.add("top");
      const room = size * width - 10;
      if (room > 24) bar.textContent = node === top ? entry.name + "  " + node.count : node.name;
      bar.setAttribute("aria-label", (node.path || entry.name) + " " + node.count + " " + percent(node.value, root.value));
      bar.onmousemove = (event) => showTip(node, root.value, event);
      bar.onmouseleave = () => { tip.hidden = true; };
      bar.onclick = () => { tip.hidden = true; zoom(node === top ? trail.slice(0, -1).concat(trail.length > 1 ? [] : [top]) : path); };
      chart.append(bar);
      let from = left;
      for (const part of node.parts) {
        const share = node.value > 0 ? (size * part.value) / node.value : 0;
        if (share * width >= 1) draw(part, from, share, level + 1, path.concat([part]));
        from += share;
      }
    };
    draw(top, 0, 1, 0, trail);
  };
  zoom([root]);
  let last = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== last) { last = innerWidth; zoom([root]); } });
}

/** Rows of the tree; a row with parts opens and closes. */
function fillTable(body, entry) {
  const total = entry.tree.value;
  const add = (node, level, parent) => {
    const row = element("tr", { "data-level": level });
    const name = element("td", { class: "name" });
    name.style.paddingLeft = level * 1.1 + 0.4 + "em";
    const children = [];
    if (node.parts.length > 0) {
      const toggle = element("button", { type: "button", class: "fold", "aria-expanded": "false", "aria-label": "parts of " + node.path }, "▸");
      toggle.onclick = () => {
        const open = toggle.getAttribute("aria-expanded") === "true";
        toggle.setAttribute("aria-expanded", String(!open));
        toggle.textContent = open ? "▸" : "▾";
        children.forEach((child) => child(!open));
      };
      name.append(toggle);
    } else name.append(element("span", { class: "fold" }, ""));
    name.append(node.name + (node.times > 1 ? " ×" + node.times : ""));
    const share = element("td", { class: "share" });
    const fill = element("i", {});
    fill.style.width = total > 0 ? (100 * node.value) / total + "%" : "0";
    share.append(fill, element("span", {}, node.value > 0 ? percent(node.value, total) : ""));
    row.append(
      name,
      element("td", {}, node.value > 0 ? node.count : ""),
      share,
      element("td", {}, node.scalar === "0" ? "" : node.scalar),
      element("td", {}, node.parameters === "0" ? "" : node.parameters),
    );
    if (entry.tree.executed !== undefined) row.append(element("td", {}, node.dispatches), element("td", {}, node.executed));
    row.hidden = level > 0;
    body.append(row);
    for (const part of node.parts) children.push(add(part, level + 1, row));
    const toggle = name.querySelector("button");
    return (visible) => {
      row.hidden = !visible;
      const open = toggle !== null && toggle.getAttribute("aria-expanded") === "true";
      children.forEach((child) => child(visible && open));
    };
  };
  for (const part of entry.rows) add(part, 0);
}

for (const entry of entries) {
  const section = document.getElementById("entry-" + entry.name);
  drawPicture(section.querySelector(".picture"), entry);
  fillTable(section.querySelector("tbody.tree"), entry);
}
document.documentElement.dataset.ready = "yes";
`;
