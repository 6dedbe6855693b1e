// Searching: words in any order, and conditions such as delta<=5ms, nodes>=100 or gap>1%; what is wrong is said.

const SI = { "": 1, k: 1e3, m: 1e-3, "µ": 1e-6, "μ": 1e-6, u: 1e-6, n: 1e-9, p: 1e-12, M: 1e6, G: 1e9, T: 1e12 };
const unitsOf = (symbol, prefixes) => Object.fromEntries(prefixes.map((prefix) => [`${prefix}${symbol}`, SI[prefix]]));
const BINARY = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const UNITS = {
  time: { ...unitsOf("s", ["", "m", "µ", "μ", "u", "n"]), min: 60, h: 3600 },
  energy: unitsOf("J", ["", "k", "m", "µ", "μ", "u", "n", "p"]),
  cost: { ...unitsOf("J", ["", "k", "m", "µ", "μ", "u", "n", "p"]), ...unitsOf("W", ["", "k", "M", "m", "µ", "μ", "u"]), ...unitsOf("g", ["", "k", "m", "µ", "μ", "u"]), ...unitsOf("g/s", ["", "k", "m", "µ", "μ", "u"]), money: 1, "money/s": 1 },
  size: { ...unitsOf("B", ["", "k", "M", "G"]), ...BINARY },
  percent: { "": 0.01, "%": 0.01 },
  fraction: { "": 1, "%": 0.01 },
  plain: { "": 1 },
};
const BASE = { time: "s", energy: "J", cost: "W", size: "B" };

const ofOne = (name) => (run) => data.instances[runs.instance[run]][name] ?? null;
/** What a condition may ask for: other names, kind of unit, and the number that a run has. */
const FIELDS = {
  delta: { also: ["δ"], kind: "time", value: ofOne("max_latency_s"), what: "latency target δ" },
  alpha: { also: ["α"], kind: "fraction", value: ofOne("min_accuracy"), what: "accuracy target α" },
  nodes: { kind: "plain", value: ofOne("network_nodes"), what: "nodes of the network" },
  links: { kind: "plain", value: ofOne("network_links"), what: "links of the network" },
  blocks: { kind: "plain", value: ofOne("dnn_blocks"), what: "blocks of the DNN" },
  exits: { kind: "plain", value: ofOne("dnn_exits"), what: "exits of the DNN" },
  applications: { also: ["apps"], kind: "plain", value: ofOne("applications"), what: "applications" },
  load: { kind: "fraction", value: ofOne("load"), what: "load of a shared system" },
  tightness: { kind: "plain", value: ofOne("tightness"), what: "tightness of a generated target" },
  gamma: { also: ["γ"], kind: "plain", value: numberOf("gamma"), what: "FIN's resolution γ" },
  energy: { kind: "energy", value: ifFound("energy_j"), what: "energy per inference" },
  objective: { also: ["power"], kind: "cost", value: ifFound("objective"), what: "objective" },
  latency: { kind: "time", value: ifFound("latency_s"), what: "latency of the deployment" },
  accuracy: { kind: "fraction", value: ifFound("accuracy"), what: "accuracy of the deployment" },
  gap: { kind: "percent", value: numberOf("gap_to_best_bound"), what: "gap to the best bound" },
  time: { kind: "time", value: numberOf("time_s"), what: "time of the run" },
  memory: { kind: "size", value: numberOf("peak_bytes"), what: "peak memory" },
  rejected: { kind: "plain", value: ifFound("rejected"), what: "applications turned away" },
  fullest: { also: ["utilisation"], kind: "percent", value: ifFound("fullest"), what: "utilisation of the fullest resource" },
};
const FIELD_OF = new Map(Object.entries(FIELDS).flatMap(([name, field]) => [[name, name], ...(field.also || []).map((other) => [other, name])]));
const CONDITION = /^([\p{L}_]+)(<=|>=|!=|[<>=≤≥≠])(.*)$/su;
const COMPARE = {
  "<": (a, b) => a < b && !near(a, b), ">": (a, b) => a > b && !near(a, b), "=": near,
  "<=": (a, b) => a <= b || near(a, b), ">=": (a, b) => a >= b || near(a, b), "!=": (a, b) => !near(a, b),
};
const SIGNS = { "≤": "<=", "≥": ">=", "≠": "!=" };

/** Numbers are compared as people type them: 0.1 + 0.2 is 0.3. */
function near(a, b) { return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)); }

/** Words of a query; a phrase in quotes is one, and room around a sign or before a unit does not count. */
function queryWords(text) {
  const names = [...FIELD_OF.keys()].join("|");
  const closed = text.normalize("NFC")
    .replace(new RegExp(`(^|\\s)(${names})\\s*(<=|>=|!=|[<>=≤≥≠])\\s*`, "giu"), "$1$2$3")
    .replace(/([<>=≤≥≠][-+.\deE]+)\s+(?=(?:[kmµμunpMGT]?[sJWB]|[KMG]iB|min|h|%)(?:\s|$))/gu, "$1");
  return (closed.match(/"[^"]*"?|\S+/g) || []).map((word) => ({ text: word.replaceAll('"', ""), quoted: word.startsWith('"') }));
}

function unitNames(kind) {
  return Object.keys(UNITS[kind]).filter((unit) => unit && !/^[uμ]/.test(unit)).join(", ") || "no unit";
}

/** The number that a condition compares with, in the field's own unit; or what is wrong with it. */
function amount(name, text) {
  const { kind, what } = FIELDS[name];
  const match = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(.*)$/i.exec(text);
  if (!match) return { wrong: text ? `${name}: “${text}” is no number` : `${name}: a number must follow, such as ${example(name)}` };
  const [, number, unit] = match;
  const sizes = UNITS[kind];
  if (unit && !(unit in sizes)) return { wrong: `${name}: “${unit}” is no unit of this field (${what}); it takes ${unitNames(kind)}` };
  return { value: Number(number) * (sizes[unit] ?? sizes[BASE[kind]] ?? 1) };
}

function example(name) {
  return { time: `${name}<=5ms`, energy: `${name}<20mJ`, cost: `${name}<100W`, size: `${name}<1GiB`, percent: `${name}>1%`, fraction: `${name}>=0.8`, plain: `${name}>=10` }[FIELDS[name].kind];
}

/** Reads a query: conditions and words, or the first thing that is wrong with it. */
function readQuery(text) {
  const query = { words: [], conditions: [], wrong: null };
  for (const { text: word, quoted } of queryWords(text)) {
    const match = quoted ? null : CONDITION.exec(word);
    const name = match && FIELD_OF.get(match[1].toLowerCase());
    if (name) {
      const sign = SIGNS[match[2]] || match[2];
      const { value, wrong } = amount(name, match[3]);
      if (wrong) return { ...query, wrong };
      query.conditions.push({ value: FIELDS[name].value, holds: COMPARE[sign], number: value });
    } else if (match && match[2] !== "=") {
      return { ...query, wrong: `“${match[1]}” is no field; fields: ${Object.keys(FIELDS).join(", ")}` };
    } else if (word) {
      query.words.push(word.toLowerCase());
    }
  }
  return query;
}

const spoken = [];
/** The words of a run: its groups, its instance with targets, method, status and reason. */
function wordsOf(run) {
  spoken[run] ??= [textOf("group", run), instanceName(data.instances[runs.instance[run]]), textOf("variant", run), textOf("status", run), textOf("dnn", run), textOf("reason", run)]
    .join("\n").toLowerCase();
  return spoken[run];
}

/** Whether a run has every word and meets every condition; a run without the number meets none. */
function matches(query, run) {
  return query.conditions.every(({ value, holds, number }) => {
    const own = value(run);
    return own !== null && own !== undefined && holds(own, number);
  }) && query.words.every((word) => wordsOf(run).includes(word));
}

/** A search field with its help, and beside it what is wrong; `changed` is told every query that can be read. */
function searchField(id, label, changed) {
  const wrong = el("span", { id: `${id}-wrong`, class: "wrong", role: "alert" });
  const input = el("input", { type: "search", id, autocomplete: "off", spellcheck: "false", placeholder: "words, delta<=5ms …", "aria-describedby": `${id}-wrong` });
  input.addEventListener("input", () => {
    const query = readQuery(input.value);
    wrong.textContent = query.wrong || "";
    input.setAttribute("aria-invalid", String(Boolean(query.wrong)));
    if (!query.wrong) changed(query);
  });
  return { input, nodes: [el("label", {}, label, input), wrong] };
}

function searchHelp() {
  const examples = [
    ["balexnet fin", "both words, in any order"], ["\"time-limit\"", "a phrase as it stands"],
    ["delta<=5ms alpha>=0.8", "targets: δ at most 5 ms, α at least 0.8"], ["nodes>=100 gap>1%", "large networks, and a gap above 1 %"],
    ["time>2s memory>1GiB", "slow and hungry runs"], ["energy<20mJ gamma=100", "little energy, FIN at γ = 100"],
  ];
  const rows = examples.map(([typed, said]) => el("tr", {}, el("td", {}, el("code", {}, typed)), el("td", {}, said)));
  const fields = Object.entries(FIELDS).map(([name, field]) => `${[name, ...(field.also || [])].join(" or ")} (${field.what})`).join("; ");
  return el("details", { class: "help" }, el("summary", {}, "How to search"),
    el("table", { class: "wordy" }, caption("Examples of searches"), el("tbody", {}, ...rows)),
    el("p", {}, `Fields: ${fields}. Signs: < <= = != >= >. Units: ns, µs (or us), ms, s; µJ, mJ, J; mW, W, kW; kB, MB, GiB; %. Without a unit: seconds, Joules, Watts, bytes; a gap in %.`));
}
