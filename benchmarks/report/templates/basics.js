"use strict";
// Texts reach the page only as text nodes and attributes, never as markup: a name from a file stays a name.

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const DASH = "–";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const caption = (text) => el("caption", {}, el("span", {}, text));
const byId = (id) => document.getElementById(id);

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];

/** A value with `digits` significant digits, without trailing zeros or a needless exponent. */
function short(value, digits = 4) {
  if (value === null || value === undefined) return DASH;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return Number(value.toPrecision(digits)).toExponential().replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

/** A value in the prefix of its unit that makes it at least 1. */
function quantity(value, unit, digits = 4) {
  if (value === null || value === undefined) return DASH;
  if (!unit || value === 0) return unit ? `0 ${unit}` : short(value, digits);
  const [size, prefix] = PREFIXES.find(([size]) => Math.abs(value) >= size * (1 - 1e-12)) || PREFIXES[PREFIXES.length - 1];
  return `${Number((value / size).toPrecision(digits))} ${prefix}${unit}`;
}

/** A fraction as a percentage; tiny ones keep their magnitude. */
function percent(value) {
  if (value === null || value === undefined) return DASH;
  return value !== 0 && Math.abs(value) < 1e-6 ? (100 * value).toExponential(1) : (100 * value).toFixed(4);
}

const count = (value) => value.toLocaleString("en");

/** Spreadsheets take a text that begins so for a formula, which may run a command. */
const FORMULA = /^[=+\-@\t\r]/;

function csvText(header, rows) {
  const cell = (value) => {
    const given = value === null || value === undefined ? "" : String(value);
    const text = typeof value === "string" && FORMULA.test(value) ? `'${given}` : given;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** Redraws when the width of `node` changes. */
function onResize(node, redraw) {
  let width = node.clientWidth;
  new ResizeObserver(() => {
    if (node.clientWidth && Math.abs(node.clientWidth - width) > 8) {
      width = node.clientWidth;
      redraw();
    }
  }).observe(node);
}

const tip = byId("tip");
function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const left = Math.min(x + 14, window.scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(window.scrollX + 4, left)}px`;
  tip.style.top = `${y + 14}px`;
}
const hideTip = () => { tip.hidden = true; };
