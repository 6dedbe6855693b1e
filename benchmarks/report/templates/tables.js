// Tables that are in the page already: headings become buttons that sort.

/** The number that a cell shows; null where it shows none. Text sorts as text. */
function cellValue(cell) {
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  const text = cell.textContent.trim();
  if (text === DASH || text === "") return null;
  const value = Number(text.replace(/^≥ /, "").replaceAll(",", ""));
  return Number.isNaN(value) ? text : value;
}

function compareValues(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

/** Order of rows by their values; rows without one come last, whichever the direction. */
function sortedOrder(values, ascending) {
  const order = values.map((_, k) => k);
  const sign = ascending ? 1 : -1;
  return order.sort((a, b) => {
    const none = (values[a] === null) - (values[b] === null);
    return none || (values[a] === null ? 0 : sign * compareValues(values[a], values[b])) || a - b;
  });
}

/** Puts a sort button into each heading; `sort` is told the column and the direction. */
function sortableHead(headings, sort) {
  headings.forEach((heading, column) => {
    const button = el("button", { type: "button" }, ...heading.childNodes);
    button.addEventListener("click", () => {
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sort(column, ascending);
    });
    heading.append(button);
  });
}

function makeSortable(table) {
  const body = table.tBodies[0];
  sortableHead([...table.tHead.rows[0].cells], (column, ascending) => {
    const rows = [...body.rows];
    body.append(...sortedOrder(rows.map((row) => cellValue(row.cells[column])), ascending).map((k) => rows[k]));
  });
}

// All runs: kept as columns, shown a page at a time.

const PAGE = 50;
/** Unit of a run's objective. */
const costUnit = (run) => data.instances[runs.instance[run]].objective_unit;

/** A name of a file's field as people say it. */
const asSaid = (name) => (typeof name === "string" ? name.replaceAll("_", " ") : name);

const COLUMNS = [
  { head: "instance", value: ofInstance("name"), link: true },
  { head: "target δ", key: "max_latency_s", value: ofInstance("max_latency_s"), show: (v) => quantity(v, "s") },
  { head: "target α", key: "min_accuracy", value: ofInstance("min_accuracy"), show: (v) => short(v) },
  { head: "accounting", value: (run) => asSaid(ofInstance("accounting")(run)) },
  { head: "latency kind", value: (run) => asSaid(ofInstance("latency_kind")(run)) },
  { head: "method", value: (run) => textOf("variant", run), rank: (run) => runs.variant.of_run[run] },
  { head: "status", value: (run) => textOf("status", run) },
  { head: "DNN", value: (run) => textOf("dnn", run) },
  { head: "energy", key: "energy_j", value: ifFound("energy_j"), show: (v) => quantity(v, "J", 6) },
  { head: "objective", key: "objective", value: ifFound("objective"), show: (v, run) => quantity(v, costUnit(run), 6) },
  { head: "gap to bound [%]", key: "gap_to_best_bound", value: numberOf("gap_to_best_bound"), show: percent },
  { head: "latency", key: "latency_s", value: ifFound("latency_s"), show: (v) => quantity(v, "s") },
  { head: "accuracy", key: "accuracy", value: ifFound("accuracy"), show: (v) => short(v) },
  { head: "time", key: "time_s", value: numberOf("time_s"), show: (v) => quantity(v, "s", 3) },
  { head: "peak memory", key: "peak_bytes", value: numberOf("peak_bytes"), show: (v) => quantity(v, "B", 3) },
  { head: "rejected", key: "rejected", value: numberOf("rejected"), show: (v) => short(v) },
  { head: "fullest [%]", key: "fullest", value: ifFound("fullest"), show: (v) => (v === null ? DASH : short(100 * v)) },
  { head: "gap to best [%]", key: "gap_to_best_known", value: numberOf("gap_to_best_known"), show: percent },
  { head: "lower bound", key: "lower_bound", value: numberOf("lower_bound"), show: (v, run) => quantity(v, costUnit(run), 6) },
  { head: "seed", key: "seed", value: numberOf("seed"), show: (v) => short(v) },
  { head: "repetition", key: "repetition", value: numberOf("repetition"), show: (v) => short(v) },
  { head: "group", value: (run) => textOf("group", run) },
  { head: "reason", value: (run) => textOf("reason", run) || textOf("violations", run) || null, long: true },
];
const varied = (column) => {
  const first = column.value(0);
  for (let run = 0; run < data.count; run++) if (column.value(run) !== first) return true;
  return false;
};
const ALWAYS = ["group", "instance", "method", "status", "energy", "time"];
const sameAsEnergy = (column) =>
  column.key === "objective" && runs.energy_j && runs.objective.every((value, run) => value === runs.energy_j[run]);

const runTable = {
  columns: [],
  order: [],
  page: 0,
  sorted: null,

  start() {
    this.columns = COLUMNS.filter((column) => ALWAYS.includes(column.head) || (varied(column) && !sameAsEnergy(column)));
    this.query = readQuery("");
    const search = searchField("filter-text", "Search", (query) => { this.query = query; this.filter(); });
    this.groups = [...new Set(runs.group.names.flat())];
    this.filters = { group: this.chooser(this.groups), variant: this.chooser(runs.variant.texts), status: this.chooser(runs.status.texts) };
    const named = { group: "Group", variant: "Method", status: "Status" };
    byId("run-filters").append(search.nodes[0]);
    for (const [name, control] of Object.entries(this.filters)) {
      control.id = `filter-${name}`;
      control.addEventListener("change", () => this.filter());
      byId("run-filters").append(el("label", {}, named[name], control));
    }
    byId("run-filters").append(saveButton("CSV of these runs", "Download these runs as CSV", () => download("runs.csv", this.csv()), { id: "runs-csv" }));
    byId("run-filters").after(search.nodes[1], searchHelp());
    this.build();
    this.filter();
  },

  chooser(texts) {
    const options = texts.map((text, k) => el("option", { value: k }, text || DASH));
    return el("select", {}, el("option", { value: "" }, "all"), ...options);
  },

  build() {
    const headings = this.columns.map((column) => el("th", { scope: "col", class: column.show ? "number" : null }, column.head));
    this.body = el("tbody", {});
    const table = el("table", {}, caption("Every run"), el("thead", {}, el("tr", {}, ...headings)), this.body);
    byId("run-table").append(el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": "Every run" }, table));
    sortableHead(headings, (column, ascending) => {
      this.sorted = [column, ascending];
      this.arrange();
    });
    this.back = el("button", { type: "button" }, "Previous");
    this.next = el("button", { type: "button" }, "Next");
    this.where = el("span", {});
    this.back.addEventListener("click", () => this.turn(-1));
    this.next.addEventListener("click", () => this.turn(1));
    byId("run-pages").append(this.back, this.where, this.next);
  },

  filter() {
    const { group, variant, status } = this.filters;
    const inGroup = runs.group.names.map((names) => group.value === "" || names.includes(this.groups[group.value]));
    const chosen = [["variant", variant.value], ["status", status.value]].filter(([, value]) => value !== "");
    this.kept = [];
    for (let run = 0; run < data.count; run++) {
      if (inGroup[runs.group.of_run[run]] && chosen.every(([name, value]) => runs[name].of_run[run] === Number(value)) && matches(this.query, run)) {
        this.kept.push(run);
      }
    }
    this.arrange();
  },

  arrange() {
    this.order = this.kept;
    if (this.sorted) {
      const [column, ascending] = this.sorted;
      this.order = sortedOrder(this.kept.map(this.columns[column].rank ?? this.columns[column].value), ascending).map((k) => this.kept[k]);
    }
    this.page = 0;
    this.show();
  },

  turn(step) {
    this.page += step;
    this.show();
  },

  show() {
    const first = this.page * PAGE;
    const shown = this.order.slice(first, first + PAGE);
    this.body.replaceChildren(...shown.map((run) => el("tr", {}, ...this.columns.map((column) => this.cell(column, run)))));
    const here = shown.length ? `${count(first + 1)} to ${count(first + shown.length)}` : "none";
    byId("run-count").textContent = `${count(this.order.length)} of ${count(data.count)} runs; shown: ${here}`;
    this.where.textContent = here;
    this.back.disabled = this.page === 0;
    this.next.disabled = first + PAGE >= this.order.length;
  },

  cell(column, run) {
    const value = column.value(run);
    if (column.link) return el("td", {}, el("a", { href: `#instance=${data.instances[runs.instance[run]].key}` }, value));
    return el("td", { class: column.show ? "number" : column.long && value ? "long" : null }, column.show ? column.show(value, run) : value ?? DASH);
  },

  csv() {
    const rows = this.order.map((run) => this.columns.map((column) => column.value(run)));
    return csvText(this.columns.map((column) => column.key || column.head), rows);
  },
};
