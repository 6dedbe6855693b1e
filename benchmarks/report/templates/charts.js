// Figures: axes, lines, staircases, points and bands as SVG; a legend that hides and shows; values by mouse and keys.

const DASHES = ["", "8 3", "2 3"];
const SHAPES = [
  "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z", "M-3.5,-3.5H3.5V3.5H-3.5Z", "M0,-4.6L4.3,3.2H-4.3Z", "M0,-4.8L4.8,0L0,4.8L-4.8,0Z",
  "M0,4.6L4.3,-3.2H-4.3Z", "M-1.5,-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
  "M-4.5,-2.5L-2.5,-4.5L0,-2L2.5,-4.5L4.5,-2.5L2,0L4.5,2.5L2.5,4.5L0,2L-2.5,4.5L-4.5,2.5L-2,0Z",
];
const LIMIT_SHAPE = "M0,5V-5M-3.5,-1.5L0,-5L3.5,-1.5";
const MOST_MARKERS = 40;
const MOST_CORNERS = 8;
const MOST_NAMES = 6;

/** Colour, dash and marker of the k-th style: those beyond the colours take them again with the next dash and marker. */
function look(k) {
  if (k < 0) return { halo: true };
  const turn = Math.floor(k / data.look.colours);
  return { colour: `c${k % data.look.colours}`, dash: DASHES[turn % DASHES.length], shape: SHAPES[(k + turn) % SHAPES.length] };
}

function transform(axis) {
  if (axis.scale === "log") return Math.log10;
  if (axis.scale === "symlog") return (v) => (v <= axis.threshold ? v / axis.threshold : 1 + Math.log10(v / axis.threshold));
  return (v) => v;
}

function roundTicks(low, high, most) {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9));
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

function logTicks(low, high) {
  const [first, last] = [Math.floor(Math.log10(low) + 1e-9), Math.ceil(Math.log10(high) - 1e-9)];
  const stride = Math.max(1, Math.ceil((last - first) / 6));
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let p = first; p <= last; p += stride) for (const factor of factors) ticks.push(Number((factor * 10 ** p).toPrecision(3)));
  const within = ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  return within.length > 1 ? within : roundTicks(low, high, 4); // ends between two powers
}

function symlogTicks(threshold, high) {
  const ticks = [0];
  for (let tick = threshold; tick <= high * (1 + 1e-9); tick *= 10) ticks.push(Number(tick.toPrecision(3)));
  return ticks;
}

/** Where values of an axis lie between `start` and `end` (pixels), and its ticks. */
function scaleOf(axis, values, start, end) {
  let low = axis.least ?? Math.min(...values);
  let high = axis.most ?? Math.max(...values);
  if (!(low < high)) [low, high] = axis.scale === "log" ? [low / 2, low * 2] : [low - Math.abs(low || 1) / 2, low + Math.abs(low || 1) / 2];
  if (axis.scale === "log" && axis.least === null) low /= (high / low) ** 0.04;
  if (axis.scale === "log" && axis.most === null) high *= (high / low) ** 0.04;
  if (axis.scale === "linear" && axis.most === null) high += 0.04 * (high - low);
  if (axis.scale === "linear" && axis.least === null) low -= 0.04 * (high - low);
  if (axis.scale === "symlog" && axis.most === null) high *= 1.6;
  const to = transform(axis);
  const [a, b] = [to(low), to(high)];
  const place = (v) => start + ((to(v) - a) / (b - a)) * (end - start);
  const room = Math.max(2, Math.floor(Math.abs(end - start) / (start < end ? 80 : 45)));
  const ticks = axis.ticks.length ? axis.ticks
    : axis.scale === "log" ? logTicks(low, high) : axis.scale === "symlog" ? symlogTicks(axis.threshold, high) : roundTicks(low, high, room);
  return { place, ticks };
}

/** All values of an axis over a panel. */
function valuesOf(panel, name) {
  const values = [];
  for (const series of panel.series) {
    for (const v of series[name]) values.push(v);
    if (name === "y") for (const v of series.high) values.push(v);
  }
  return values.length ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] : [1, 2];
}

function linePath(series, x, y) {
  let path = "";
  let [lastX, lastY] = [NaN, NaN];
  for (let k = 0; k < series.x.length; k++) {
    const [px, py] = [x(series.x[k]), y(series.y[k])];
    const far = !(Math.abs(px - lastX) < 0.3 && Math.abs(py - lastY) < 0.3) || k === series.x.length - 1;
    if (!far) continue; // closer than a reader could see
    const point = `${px.toFixed(1)},${py.toFixed(1)}`;
    path += !path ? `M${point}` : series.kind === "step" ? `H${px.toFixed(1)}V${py.toFixed(1)}` : `L${point}`;
    [lastX, lastY] = [px, py];
  }
  return path;
}

function bandPath(series, x, y) {
  const lower = series.x.map((v, k) => `${x(v).toFixed(1)},${y(series.y[k]).toFixed(1)}`);
  const upper = series.x.map((v, k) => `${x(v).toFixed(1)},${y(series.high[k]).toFixed(1)}`).reverse();
  return `M${[...lower, ...upper].join("L")}Z`;
}

/** Which points carry a marker: all of a few, else some, at other places for each style so that none hides another. */
function marked(series, k) {
  const size = series.x.length;
  if (series.kind === "fit") return [];
  if (series.kind === "points" || size <= (series.kind === "step" ? MOST_CORNERS : MOST_MARKERS)) return series.x.map((_, point) => point);
  return [0.03, 0.28, 0.53, 0.78].map((share) => Math.min(size - 1, Math.floor((share + 0.018 * k) * size)));
}

function drawSeries(series, style, k, x, y) {
  const group = svg("g", { class: style.colour });
  if (series.kind === "band") {
    group.append(svg("path", { class: "band", d: bandPath(series, x, y) }));
    return group;
  }
  if (series.kind === "halo") {
    group.append(svg("path", { class: "halo", d: linePath(series, x, y) }));
    return group;
  }
  if (series.kind !== "points") {
    group.append(svg("path", { class: "curve", d: linePath(series, x, y), "stroke-dasharray": series.dashed ? "5 4" : style.dash || null }));
  }
  for (const point of marked(series, k)) {
    const kind = series.limit ? "dot limit" : series.dashed ? "dot hollow" : "dot";
    const at = `translate(${x(series.x[point]).toFixed(1)},${y(series.y[point]).toFixed(1)})`;
    group.append(svg("path", { class: kind, d: series.limit ? LIMIT_SHAPE : style.shape, transform: at }));
  }
  return group;
}

function drawAxes(panel, x, y, box) {
  const group = svg("g", {});
  const shown = (axis, tick) => (axis.unit ? quantity(tick, axis.unit, 3) : short(tick));
  let free = -Infinity;
  for (const tick of x.ticks) {
    const at = x.place(tick);
    group.append(svg("line", { class: "grid", x1: at, x2: at, y1: box.top, y2: box.bottom }));
    const text = shown(panel.x, tick);
    if (at - 3.5 * text.length < free) continue;
    free = at + 3.5 * text.length + 4;
    group.append(svg("text", { x: Math.min(at, box.right + 12 - 3.5 * text.length), y: box.bottom + 17, "text-anchor": "middle" }, text));
  }
  for (const tick of y.ticks) {
    const at = y.place(tick);
    group.append(svg("line", { class: "grid", x1: box.left, x2: box.right, y1: at, y2: at }));
    group.append(svg("text", { x: box.left - 7, y: at + 4, "text-anchor": "end" }, shown(panel.y, tick)));
  }
  group.append(svg("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }));
  group.append(svg("text", { x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle" }, panel.x.label));
  const middle = (box.top + box.bottom) / 2;
  group.append(svg("text", { x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, panel.y.label));
  return group;
}

function valueText(panel, series, k) {
  const show = (axis, v) => (axis.unit ? quantity(v, axis.unit, 5) : short(v, 5));
  return `${series.name}\n${panel.x.label}: ${show(panel.x, series.x[k])}\n${panel.y.label}: ${show(panel.y, series.y[k])}`;
}

class Figure {
  constructor(node, chart) {
    [this.node, this.chart, this.hidden, this.view] = [node, chart, new Set(), chart.start];
    this.panels = node.querySelector(".panels");
    const saved = [saveButton("CSV", `Download the numbers of ${chart.title} as CSV`, () => download(`${chart.key}.csv`, this.csv())),
      ...pictureButtons(chart.key, chart.title, () => this.sheet())];
    node.querySelector(".figure-head").append(el("div", { class: "saves", role: "group", "aria-label": `Download ${chart.title}` }, ...saved));
    if (chart.views.length > 1) this.offerViews();
    this.draw();
    onResize(this.panels, () => this.draw());
  }

  offerViews() {
    const options = this.chart.views.map((view, k) => el("option", { value: k }, view.name));
    const choice = el("select", { id: `${this.chart.key}-choice` }, ...options);
    choice.value = String(this.view);
    choice.addEventListener("change", () => { this.view = Number(choice.value); this.draw(); });
    const asked = this.chart.choice[0].toUpperCase() + this.chart.choice.slice(1);
    this.node.querySelector(".choice").append(el("label", {}, asked, choice));
  }

  get shown() { return this.chart.views[this.view].panels; }

  draw() {
    this.panels.classList.toggle("single", this.shown.length === 1);
    this.panels.replaceChildren(...this.shown.map((panel) => this.drawPanel(panel)));
    this.drawLegend();
  }

  drawPanel(panel) {
    const width = this.panelWidth();
    const height = Math.round(Math.max(240, Math.min(340, 0.62 * width)));
    const box = { left: 66, right: width - 14, top: 10, bottom: height - 46 };
    const x = scaleOf(panel.x, valuesOf(panel, "x"), box.left, box.right);
    const y = scaleOf(panel.y, valuesOf(panel, "y"), box.bottom, box.top);
    const drawn = panel.series.filter((series) => !this.hidden.has(series.entry));
    const image = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "aria-label": this.described(panel) });
    image.append(drawAxes(panel, x, y, box));
    const beneath = (series) => series.kind === "band" || series.kind === "halo";
    for (const series of [...drawn.filter(beneath), ...drawn.filter((one) => !beneath(one))]) {
      const k = this.chart.styles[series.entry];
      image.append(drawSeries(series, look(k), k, x.place, y.place));
    }
    this.listen(image, panel, drawn.filter((series) => series.kind !== "band" && series.x.length), x.place, y.place, width);
    return el("div", { class: "panel" }, panel.title ? el("h4", {}, panel.title) : null, image);
  }

  /** Width of a panel: as many beside each other as the style sheet's grid has room for. */
  panelWidth() {
    const [room, gap, least] = [this.panels.clientWidth, 24, 432];
    const across = Math.max(1, Math.min(this.shown.length, Math.floor((room + gap) / (least + gap))));
    return Math.max(280, this.shown.length === 1 ? Math.min(room, 736) : (room - gap * (across - 1)) / across);
  }

  described(panel) {
    return `${this.chart.title}: ${panel.title || this.chart.views[this.view].name}. ${panel.y.label} over ${panel.x.label}. Arrow keys read the values.`;
  }

  /** Values under the mouse, or from point to point and line to line with the arrow keys. */
  listen(image, panel, drawn, x, y, width) {
    if (!drawn.length) return;
    const cursor = svg("circle", { class: "cursor", r: 7, visibility: "hidden" });
    image.append(cursor);
    let [s, k] = [0, 0];
    const point = () => {
      const [px, py] = [x(drawn[s].x[k]), y(drawn[s].y[k])];
      fill(cursor, { cx: px, cy: py, visibility: "visible" }, []);
      const frame = image.getBoundingClientRect();
      const zoom = frame.width / width;
      const text = valueText(panel, drawn[s], k) + this.alsoAt(drawn, s, px, py, x, y);
      showTip(text, window.scrollX + frame.left + px * zoom, window.scrollY + frame.top + py * zoom);
      byId("figure-value").textContent = text;
    };
    const leave = () => { cursor.setAttribute("visibility", "hidden"); hideTip(); };
    image.addEventListener("mousemove", (event) => {
      const frame = image.getBoundingClientRect();
      const zoom = frame.width / width;
      const [mx, my] = [(event.clientX - frame.left) / zoom, (event.clientY - frame.top) / zoom];
      let best = 900;
      drawn.forEach((series, one) => series.x.forEach((v, two) => {
        const far = (x(v) - mx) ** 2 + (y(series.y[two]) - my) ** 2;
        if (far < best) [best, s, k] = [far, one, two];
      }));
      if (best < 900) point(); else leave();
    });
    image.addEventListener("mouseleave", leave);
    image.addEventListener("blur", leave);
    image.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
      if (event.key === "Escape") leave();
      if (!moves[event.key]) return;
      event.preventDefault();
      s = (s + moves[event.key][0] + drawn.length) % drawn.length;
      k = Math.max(0, Math.min(drawn[s].x.length - 1, k + (cursor.getAttribute("visibility") === "visible" ? moves[event.key][1] : 0)));
      point();
    });
  }

  /** Names of other lines that have a point at the same place: they lie beneath what is seen. */
  alsoAt(drawn, s, px, py, x, y) {
    const near = (v, w) => Math.abs(v - w) < 1;
    const names = drawn.filter((series, one) => one !== s &&
      series.x.some((v, k) => near(x(v), px) && near(y(series.y[k]), py))).map((series) => series.name);
    if (!names.length) return "";
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
    return `\nalso here: ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
  }

  drawLegend() {
    const present = new Set(this.shown.flatMap((panel) => panel.series.map((series) => series.entry)));
    const buttons = Object.entries(this.chart.styles).filter(([entry]) => present.has(entry)).map(([entry, k]) => {
      const style = look(k);
      const lines = style.halo ? [svg("path", { class: "halo", d: "M6,7H28" })] : [
        svg("path", { class: "curve", d: "M1,7H33", "stroke-dasharray": style.dash || null }),
        svg("path", { class: "dot", d: style.shape, transform: "translate(17,7)" }),
      ];
      const swatch = svg("svg", { viewBox: "0 0 34 14", "aria-hidden": "true", class: style.colour }, ...lines);
      const button = el("button", { type: "button", "aria-pressed": String(!this.hidden.has(entry)) }, swatch, entry);
      button.addEventListener("click", () => this.toggle(entry));
      return button;
    });
    this.node.querySelector(".legend").replaceChildren(...buttons);
  }

  toggle(entry) {
    if (!this.hidden.delete(entry)) this.hidden.add(entry);
    this.draw();
    const again = [...this.node.querySelectorAll(".legend button")].find((button) => button.textContent === entry);
    if (again) again.focus();
  }

  /** The whole figure as one picture: the panels that are shown, and the legend's entries that are not hidden. */
  sheet() {
    const images = [...this.panels.querySelectorAll(".panel > svg")];
    const parts = this.shown.map((panel, k) => ({ name: panel.title, image: images[k] }));
    const entries = [...this.node.querySelectorAll(".legend button[aria-pressed=true]")]
      .map((button) => ({ name: button.textContent, swatch: button.querySelector("svg") }));
    const view = this.chart.views.length > 1 ? `: ${this.chart.views[this.view].name}` : "";
    return sheet(`${this.chart.title}${view}`, parts, entries);
  }

  csv() {
    const { x, y } = this.shown[0];
    const rows = this.shown.flatMap((panel) => panel.series.flatMap((series) =>
      series.x.map((v, k) => [panel.title || this.chart.views[this.view].name, series.name, v, series.y[k], series.high[k] ?? null])));
    const banded = rows.some((row) => row[4] !== null);
    return csvText(["panel", "series", x.key, y.key, ...(banded ? ["upper"] : [])], banded ? rows : rows.map((row) => row.slice(0, 4)));
  }
}
