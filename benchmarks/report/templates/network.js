// A network by tiers with one placement drawn on it, and bars of what each block costs.

const CROWD = 12; // nodes of a network up to which all of them carry their names
const MOST_LINKS = 240; // links up to which all are drawn

/** Nodes by tier, the first tier at the bottom; within a tier named nodes first, then the idle ones as dots. */
function arrange(network, named, width) {
  const tiers = new Map();
  for (const [name, tier] of network.nodes) {
    if (!tiers.has(tier)) tiers.set(tier, []);
    tiers.get(tier).push(name);
  }
  const rows = [];
  for (const [tier, names] of tiers) {
    const boxes = names.filter((name) => named.has(name));
    const dots = names.filter((name) => !named.has(name));
    const across = Math.max(1, Math.floor((width - 40) / 128));
    const lines = [];
    for (let k = 0; k < boxes.length; k += across) lines.push({ boxes: boxes.slice(k, k + across), dots: [] });
    const perLine = Math.max(1, Math.floor((width - 60) / 20));
    for (let k = 0; k < dots.length; k += perLine) lines.push({ boxes: [], dots: dots.slice(k, k + perLine) });
    rows.push({ tier, lines });
  }
  return rows.reverse();
}

function place(rows, width) {
  const places = new Map();
  const bands = [];
  let top = 6;
  for (const { tier, lines } of rows) {
    const start = top;
    top += 22;
    for (const line of lines) {
      const names = line.boxes.length ? line.boxes : line.dots;
      const tall = line.boxes.length ? 74 : 22;
      const reach = line.boxes.length ? width - 20 : Math.min(width - 40, 20 * names.length);
      names.forEach((name, k) => {
        const x = width / 2 + (reach / names.length) * (k - (names.length - 1) / 2);
        places.set(name, { x, y: top + tall / 2, box: line.boxes.length > 0 });
      });
      top += tall;
    }
    bands.push({ tier, top: start, height: top - start });
    top += 30;
  }
  return { places, bands, height: top - 24 };
}

const HALF = { width: 56, height: 27 };

/** Where the line from one place to another meets the edge of the box at `to`. */
function edgeOf(from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const half = to.box ? HALF : { width: 6, height: 6 };
  const reach = Math.min(dx ? half.width / Math.abs(dx) : Infinity, dy ? half.height / Math.abs(dy) : Infinity);
  return { x: to.x - dx * Math.min(1, reach), y: to.y - dy * Math.min(1, reach) };
}

const BOWS = [14, -14, 46, -46, 84, -84, 130, -130, 180, -180];

/** Path of one hop, bowed as little as keeps it and its label off the other nodes. */
function hop(from, to, places, letters, width) {
  const others = [...places.values()].filter((place) => place.box && place !== from && place !== to);
  if (from.y === to.y && from.box && to.box) return bridge(from, to);
  const tried = BOWS.map((bow) => bowed(from, to, bow));
  return tried.find((path) => clear(path, others, [from, to], letters, width)) ?? tried[0];
}

/** Between nodes of one line: from roof to roof. */
function bridge(from, to) {
  const side = Math.sign(to.x - from.x);
  const roof = from.y - HALF.height;
  const start = { x: from.x + 18 * side, y: roof };
  const end = { x: to.x - 18 * side, y: roof };
  const bent = { x: (start.x + end.x) / 2, y: roof - Math.min(54, 30 + 0.06 * Math.abs(end.x - start.x)) };
  const [dx, dy] = [end.x - bent.x, end.y - bent.y];
  const [ux, uy] = [dx / Math.hypot(dx, dy), dy / Math.hypot(dx, dy)];
  return { start, bent, end, base: { x: end.x - 9 * ux, y: end.y - 9 * uy }, across: { x: -4.5 * uy, y: 4.5 * ux } };
}

function bowed(from, to, bow) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const bent = { x: (from.x + to.x) / 2 - (bow * dy) / length, y: (from.y + to.y) / 2 + (bow * dx) / length };
  const [start, end] = [edgeOf(bent, from), edgeOf(bent, to)];
  const reach = Math.hypot(end.x - bent.x, end.y - bent.y) || 1;
  const [ux, uy] = [(end.x - bent.x) / reach, (end.y - bent.y) / reach];
  return { start, bent, end, base: { x: end.x - 9 * ux, y: end.y - 9 * uy }, across: { x: -4.5 * uy, y: 4.5 * ux } };
}

/** A point of the curve, t from 0 to 1. */
function along({ start, bent, base }, t) {
  const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
  return { x: a * start.x + b * bent.x + c * base.x, y: a * start.y + b * bent.y + c * base.y };
}

const LETTER = 3.2; // half of a character of a label
const RIM = 5; // around a label

function clear(path, others, ends, letters, width) {
  const within = (point, place, padX, padY) =>
    Math.abs(point.x - place.x) < HALF.width + padX && Math.abs(point.y - place.y) < HALF.height + padY;
  const points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map((t) => along(path, t));
  const label = along(path, 0.5);
  const half = LETTER * letters + RIM;
  if (label.x < half || label.x > width - half) return false;
  return points.every((point) => !others.some((place) => within(point, place, 3, 3))) &&
    ![...others, ...ends].some((place) => within(label, place, half, 7));
}

function drawNetwork(network, app, dnn, decision, named, width, label) {
  const { places, bands, height } = place(arrange(network, named, width), width);
  const image = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "network" });
  for (const band of bands) {
    image.append(svg("rect", { class: "tier", x: 2, y: band.top, width: width - 4, height: band.height, rx: 8 }));
    image.append(svg("text", { x: 12, y: band.top + 16 }, band.tier || "nodes"));
  }
  drawLinks(image, network, named, places);
  const hops = [];
  (decision ? decision.blocks : []).forEach(([, , route], k) => {
    for (let j = 1; j < route.length; j++) hops.push({ from: route[j - 1], to: route[j], block: k + 1 });
  });
  const arrows = svg("g", {});
  drawHops(arrows, image, hops, places, dnn, width);
  drawNodes(image, network, places, app, decision);
  image.append(arrows);
  return image;
}

function drawLinks(image, network, named, places) {
  const all = network.links.length <= MOST_LINKS;
  const seen = new Set();
  for (const [a, b] of network.links) {
    if (seen.has(`${b}\n${a}`) || !(all || (named.has(a) && named.has(b)))) continue;
    seen.add(`${a}\n${b}`);
    const [one, two] = [places.get(a), places.get(b)];
    image.append(svg("line", { class: "link", x1: one.x, y1: one.y, x2: two.x, y2: two.y }));
  }
}

function drawHops(labels, image, hops, places, dnn, width) {
  const pairs = new Map();
  for (const one of hops) {
    const key = `${one.from}\n${one.to}`;
    if (!pairs.has(key)) pairs.set(key, { ...one, blocks: [] });
    pairs.get(key).blocks.push(one.block);
  }
  for (const { from, to, blocks } of pairs.values()) {
    const bits = blocks.map((block) => quantity(block === 1 ? dnn.input_bits : dnn.blocks[block - 2][2], "bit", 3));
    const text = bits.join(", ");
    const path = hop(places.get(from), places.get(to), places, text.length, width);
    const { start, bent, end, base, across, middle } = { ...path, middle: along(path, 0.5) };
    const line = svg("path", { class: "route", d: `M${start.x},${start.y}Q${bent.x},${bent.y} ${base.x},${base.y}` });
    line.append(svg("title", {}, `${from} to ${to}: ${blocks.map((block, k) => `${bits[k]} for block ${block}`).join(", ")}`));
    const head = `M${end.x},${end.y}L${base.x + across.x},${base.y + across.y}L${base.x - across.x},${base.y - across.y}Z`;
    image.append(line, svg("path", { class: "arrow", d: head }));
    labels.append(svg("text", { class: "route-label", "text-anchor": "middle", x: middle.x, y: middle.y + 4 }, text));
  }
}

function drawNodes(image, network, places, app, decision) {
  const hosted = new Map();
  (decision ? decision.blocks : []).forEach(([node], k) => hosted.set(node, [...(hosted.get(node) || []), k + 1]));
  for (const [name] of network.nodes) {
    const at = places.get(name);
    if (!at.box) {
      image.append(svg("circle", { class: "idle", cx: at.x, cy: at.y, r: 5 }, svg("title", {}, name)));
      continue;
    }
    const blocks = hosted.get(name) || [];
    const node = svg("g", { "data-node": name, "data-blocks": blocks.join(" ") });
    node.append(svg("title", {}, blocks.length ? `${name} runs block ${blocks.join(", ")}` : name));
    node.append(svg("rect", { class: blocks.length ? "node used" : "node", x: at.x - HALF.width, y: at.y - HALF.height, width: 2 * HALF.width, height: 2 * HALF.height, rx: 6 }));
    const shown = name.length > 14 ? `${name.slice(0, 13)}…` : name;
    const source = name === app.source;
    node.append(svg("text", { class: "strong", x: at.x, y: at.y + (blocks.length || source ? -8 : 4), "text-anchor": "middle" }, shown));
    drawBlocks(node, blocks, at, source);
    image.append(node);
  }
}

const MOST_CHIPS = 5; // blocks of one node up to which each has a chip of its own; more are shown as ranges

/** Runs of consecutive numbers: 1, 2, 3, 7 becomes [1, 3], [7, 7]. */
function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found[found.length - 1];
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found;
}
const rangeText = ([first, last]) => (first === last ? String(first) : `${first}–${last}`);

/** Numbered blocks in their node; the sample's source carries a dot. */
function drawBlocks(node, blocks, at, source) {
  const chips = blocks.length > MOST_CHIPS ? ranges(blocks).map(rangeText) : blocks.map(String);
  const widths = chips.map((text) => 8 + 7.5 * text.length);
  const total = widths.reduce((sum, width) => sum + width + 2, source ? 13 : 0);
  const squeeze = Math.min(1, (2 * HALF.width - 8) / total);
  let x = at.x - (total * squeeze) / 2;
  if (source) {
    node.append(svg("circle", { class: "sample", cx: x + 5, cy: at.y + 12, r: 4.5 }, svg("title", {}, "samples arise here")));
    x += 13 * squeeze;
  }
  chips.forEach((text, k) => {
    const width = widths[k] * squeeze;
    node.append(svg("rect", { class: "block", x, y: at.y + 4, width, height: 16, rx: 3 }));
    node.append(svg("text", { class: "block-number", x: x + width / 2, y: at.y + 16, "text-anchor": "middle" }, text));
    x += width + 2 * squeeze;
  });
}

/** Stacked bars over the blocks: energy, and latency with its target; both sides share the scales. */
function drawBars(app, decision, scales, width) {
  const image = svg("svg", { viewBox: `0 0 ${width} 116`, role: "img", "aria-label": barText(app, decision), class: "bars" });
  const [left, right] = [72, width - 12];
  const rows = [["energy", "J", 3, scales.energy, null], ["latency", "s", 5, scales.latency, app.max_latency_s]];
  rows.forEach(([name, unit, column, scale, target], row) => {
    const top = 14 + 52 * row;
    const to = (v) => (scale > 0 ? (v / scale) * (right - left) : 0);
    image.append(svg("text", { x: left - 8, y: top + 15, "text-anchor": "end" }, name));
    let [x, total] = [left, 0];
    decision.blocks.forEach((block, k) => {
      for (const [part, kind] of [[column + 1, "transfer"], [column, "compute"]]) {
        const long = to(block[part]);
        total += block[part];
        if (long <= 0) continue;
        const said = `block ${k + 1}, ${kind}: ${quantity(block[part], unit)}`;
        image.append(svg("rect", { class: `part ${kind}`, x, y: top, width: long, height: 22 }, svg("title", {}, said)));
        if (kind === "compute" && long > 16) image.append(svg("text", { class: "block-number", x: x + long / 2, y: top + 15, "text-anchor": "middle" }, String(k + 1)));
        x += long;
      }
    });
    const over = target !== null;
    if (over) image.append(svg("line", { class: "target", x1: left + to(target), x2: left + to(target), y1: top - 5, y2: top + 25 }));
    image.append(svg("text", { x: left, y: top + 37 }, quantity(total, unit, 5)));
    if (over) image.append(svg("text", { x: right, y: top + 37, "text-anchor": "end" }, `target δ = ${quantity(target, unit)}`));
  });
  return image;
}

function barText(app, decision) {
  const sum = (a, b) => decision.blocks.reduce((total, block) => total + block[a] + block[b], 0);
  return `energy ${quantity(sum(3, 4), "J", 5)}, latency ${quantity(sum(5, 6), "s", 5)} of a target of ${quantity(app.max_latency_s, "s")}`;
}
