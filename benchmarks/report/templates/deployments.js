// Two deployments side by side: where the placements of applications differ, and how full they make a shared system.

const MOST_APART = 12; // applications that are named where two deployments differ

/** Where one application's placement differs from another's, in words; empty where either is not known. */
function placementsApart(left, right) {
  if (!left || !right) return "";
  const where = (decision, k) => {
    if (!decision.blocks[k]) return "not deployed";
    const [node, share, route] = decision.blocks[k];
    return [node, share < 1 ? `with ${short(100 * share)} % of it` : "", route.length > 2 ? `via ${route.slice(1, -1).join(", ")}` : ""]
      .filter(Boolean).join(" ");
  };
  const apart = new Map();
  for (let k = 0; k < Math.max(left.blocks.length, right.blocks.length); k++) {
    const both = `${where(left, k)} against ${where(right, k)}`;
    if (where(left, k) !== where(right, k)) apart.set(both, [...(apart.get(both) || []), k + 1]);
  }
  const said = [...apart].map(([both, blocks]) => `block ${ranges(blocks).map(rangeText).join(", ")}: ${both}`);
  return said.length ? `They differ in ${said.join("; ")}.` : "Both run every block at the same node and send over the same links.";
}

/** What two deployments make of each of many applications, in words. `drawn` are the applications that are known here. */
function deploymentsApart(left, right, drawn, all) {
  const decided = (placement) => new Map(placement.applications.map((decision) => [decision.application, JSON.stringify(decision.blocks.map(([node, share, route]) => [node, share, route]))]));
  const [one, other] = [decided(left), decided(right)];
  const said = { apart: [], left: [], right: [] };
  for (const name of drawn) {
    if (one.has(name) && !other.has(name)) said.left.push(name);
    else if (!one.has(name) && other.has(name)) said.right.push(name);
    else if (one.get(name) !== other.get(name)) said.apart.push(name);
  }
  const of = drawn.length < all ? `Of the first ${count(drawn.length)} of ${count(all)} applications` : `Of all ${count(all)} applications`;
  const named = (names) => names.slice(0, MOST_APART).join(", ") + (names.length > MOST_APART ? ` and ${count(names.length - MOST_APART)} more` : "");
  const parts = [
    said.apart.length ? `${count(said.apart.length)} ${said.apart.length === 1 ? "is" : "are"} placed differently (${named(said.apart)})` : "",
    said.left.length ? `${count(said.left.length)} ${said.left.length === 1 ? "is" : "are"} served on the left alone (${named(said.left)})` : "",
    said.right.length ? `${count(said.right.length)} ${said.right.length === 1 ? "is" : "are"} served on the right alone (${named(said.right)})` : "",
  ].filter(Boolean);
  return parts.length ? `${of}, ${parts.join("; ")}.` : `${of}, every one has the same decisions on both sides.`;
}

const LOAD_UNITS = { compute: "", memory: "B", bandwidth: "bit/s", reservation: "" };

/** The fullest nodes and links under one deployment. */
function useTable(uses, name) {
  if (!uses || !uses.length) return null;
  const shown = (value, kind) => (LOAD_UNITS[kind] ? quantity(value, LOAD_UNITS[kind], 3) : short(value, 3));
  const rows = uses.map(([subject, kind, load, limit]) => {
    const part = limit > 0 ? load / limit : null;
    const bar = svg("svg", { viewBox: "0 0 100 10", class: "full", "aria-hidden": "true" },
      svg("rect", { class: "whole", width: 100, height: 10 }), svg("rect", { class: part > 1 ? "part over" : "part compute", width: Math.min(100, 100 * (part ?? 0)), height: 10 }));
    return el("tr", {}, el("td", {}, subject.replace("->", `${NO_BREAK}→ `)), el("td", {}, kind), el("td", { class: "number" }, `${shown(load, kind)} of ${shown(limit, kind)}`),
      el("td", { class: "number" }, part === null ? "∞" : short(100 * part, 4)), el("td", {}, bar));
  });
  const heads = ["node or link", "resource", "load", "utilisation [%]", ""].map((text, k) => el("th", { scope: "col", class: k === 2 || k === 3 ? "number" : null }, text || el("span", { class: "visually-hidden" }, "bar")));
  const title = `${name}: the fullest nodes and links`;
  const table = el("table", {}, caption(title), el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
  return el("div", { class: "scroll blocks", role: "region", tabindex: 0, "aria-label": title }, table);
}
