"use strict";
// Texts reach the page only as text nodes and attributes, never as markup: a name from a file stays a name.

const data = JSON.parse(document.getElementById("data").textContent);
document.documentElement.classList.add("js");
const SVG = "http://www.w3.org/2000/svg";
const DASH = "–";
const NO_BREAK = "\u00a0"; // a number and its unit stay on one line

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

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];

/** A value with `digits` significant digits, without trailing zeros or a needless exponent. */
function short(value, digits = 4) {
  if (value === null || value === undefined) return DASH;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return Number(value.toPrecision(digits)).toExponential().replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

/** Columns as the page keeps them, row by row again: the same as another, a few values by number, or one value. */
function unpack(columns) {
  for (const [name, column] of Object.entries(columns)) {
    const zeros = () => Array.from({ length: data.count }, () => 0);
    if (Array.isArray(column)) continue;
    if (column.same) columns[name] = columns[column.same];
    else if (column.texts) column.of_run ??= zeros();
    else if (column.values) columns[name] = (column.of_run ?? zeros()).map((k) => column.values[k]);
  }
  return columns;
}

const runs = unpack(data.runs);
const textOf = (name, run) => (runs[name] ? runs[name].texts[runs[name].of_run[run]] : "");
const numberOf = (name) => (run) => (runs[name] ? runs[name][run] : null);
const ofInstance = (name) => (run) => data.instances[runs.instance[run]][name] ?? null;
const ifFound = (name) => (run) => (runs.found[run] && runs[name] ? runs[name][run] : null);

/** A value in the prefix of its unit that makes it at least 1. */
function quantity(value, unit, digits = 4) {
  if (value === null || value === undefined) return DASH;
  if (!unit || value === 0) return unit ? `0${NO_BREAK}${unit}` : short(value, digits);
  if (unit.startsWith("money")) return `${short(value, digits)}${NO_BREAK}${unit}`;
  const rounded = Number(value.toPrecision(digits));
  const offered = unit === "s" ? PREFIXES.filter(([size]) => size <= 1) : PREFIXES; // nobody counts in kiloseconds
  const [size, prefix] = offered.find(([size]) => Math.abs(rounded) >= size) || PREFIXES[PREFIXES.length - 1];
  return `${Number((rounded / size).toPrecision(digits))}${NO_BREAK}${prefix}${unit}`;
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

function save(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
const download = (name, text) => save(name, new Blob([text], { type: "text/csv;charset=utf-8" }));

function saveButton(text, label, pressed, more = {}) {
  const button = el("button", { type: "button", class: "csv", "aria-label": label, ...more }, text);
  button.addEventListener("click", pressed);
  return button;
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
