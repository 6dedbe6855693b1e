// One instance: search, choice, two methods side by side, block by block; the address keeps the choice.

const MOST_OPTIONS = 200;

function instanceName(one) {
  const parts = [one.name];
  if (one.max_latency_s !== undefined) parts.push(`δ${NO_BREAK}=${NO_BREAK}${quantity(one.max_latency_s, "s")}`);
  if (one.min_accuracy !== undefined) parts.push(`α${NO_BREAK}=${NO_BREAK}${short(one.min_accuracy)}`);
  if (one.accounting !== undefined) parts.push(`${one.accounting} accounting`);
  if (one.latency_kind !== undefined && one.latency_kind !== "full_depth") parts.push(`${one.latency_kind} latency`);
  return parts.join(" · ");
}

const chosen = {
  names: data.instances.map(instanceName),
  runsOf: data.instances.map(() => []),
  at: 0,

  start() {
    runs.instance.forEach((instance, run) => this.runsOf[instance].push(run));
    this.runsOf.forEach((here) => here.sort((a, b) => runs.variant.of_run[a] - runs.variant.of_run[b] || a - b));
    const search = searchField("instance-search", "Search", (query) => this.offer(query));
    this.search = search.input;
    byId("instance-controls").prepend(search.nodes[0]);
    byId("instance-controls").after(search.nodes[1], searchHelp());
    this.choice = byId("instance-choice");
    this.sides = [byId("left-method"), byId("right-method")];
    this.application = byId("application-choice");
    this.choice.addEventListener("change", () => this.go(Number(this.choice.value)));
    this.sides.forEach((side) => side.addEventListener("change", () => this.remember()));
    this.application.addEventListener("change", () => this.draw());
    window.addEventListener("hashchange", () => this.follow());
    this.at = data.start;
    this.offer();
    this.choose(this.at);
    this.follow();
    onResize(byId("sides"), () => this.draw());
  },

  /** Lists the instances of which some run is found. */
  offer(query = readQuery("")) {
    const asks = query.words.length + query.conditions.length > 0;
    const found = [];
    this.runsOf.forEach((here, k) => { if (!asks || here.some((run) => matches(query, run))) found.push(k); });
    const shown = found.slice(0, MOST_OPTIONS);
    if (!asks && !shown.includes(this.at)) shown.unshift(this.at);
    this.choice.replaceChildren(...shown.map((k) => el("option", { value: k }, this.names[k])));
    const more = found.length > shown.length ? `; the first ${MOST_OPTIONS} are listed` : "";
    byId("instance-found").textContent = `${count(found.length)} of ${count(this.names.length)} instances${more}`;
    if (shown.includes(this.at)) this.choice.value = String(this.at);
    else if (shown.length) this.go(shown[0]);
  },

  go(k) {
    this.choose(k);
    this.remember();
  },

  remember() {
    const [left, right] = this.sides.map((side) => side.selectedOptions[0]?.textContent ?? "");
    const address = new URLSearchParams({ instance: data.instances[this.at].key, left, right });
    history.replaceState(null, "", `#${address}`);
    this.draw();
  },

  /** Shows what the address asks for. */
  follow() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const k = data.instances.findIndex((one) => one.key === asked.get("instance"));
    if (k < 0) return;
    this.search.value = "";
    this.at = k;
    this.offer();
    this.choose(k, asked.get("left"), asked.get("right"));
    byId("instance-section").scrollIntoView();
    byId("instance-title").focus({ preventScroll: true });
  },

  choose(k, left = null, right = null) {
    this.at = k;
    const here = this.runsOf[k];
    const offered = here.map((run) => el("option", { value: run }, this.runName(run, here)));
    this.sides[0].replaceChildren(...offered);
    this.sides[1].replaceChildren(...offered.map((option) => option.cloneNode(true)));
    const byName = (name) => here.find((run) => this.runName(run, here) === name);
    this.sides[0].value = String(byName(left) ?? this.typicalFin(here));
    this.sides[1].value = String(byName(right) ?? this.best(here));
    this.choice.value = String(k);
    const apps = data.instances[k].drawing?.applications ?? [];
    this.application.replaceChildren(...apps.map((app, a) => el("option", { value: a }, app.name)));
    byId("application-label").hidden = apps.length < 2;
    this.draw();
  },

  runName(run, among) {
    const name = textOf("variant", run);
    const same = among.filter((other) => textOf("variant", other) === name);
    return same.length > 1 ? `${name}, run ${same.indexOf(run) + 1}` : name;
  },

  /** A run of FIN that differs from the best where there is one, else the first of FIN. */
  typicalFin(here) {
    const fin = here.filter((run) => textOf("variant", run).startsWith("fin"));
    const apart = fin.filter((run) => runs.found[run] && runs.gap_to_best_known && runs.gap_to_best_known[run] > 1e-6);
    return apart[apart.length - 1] ?? fin[fin.length - 1] ?? here[0];
  },

  best(here) {
    const found = here.filter((run) => runs.found[run]);
    const optimal = found.find((run) => textOf("status", run) === "optimal");
    return optimal ?? found.sort((a, b) => runs.objective[a] - runs.objective[b])[0] ?? here[0];
  },

  draw() {
    const one = data.instances[this.at];
    const shown = this.sides.map((side) => Number(side.value));
    this.drawFacts(one);
    this.drawSides(one, shown);
    this.drawRuns(this.runsOf[this.at], shown);
  },

  drawFacts(one) {
    const network = one.drawing ? data.networks[one.drawing.network] : null;
    const texts = [];
    if (one.network_nodes !== undefined) texts.push(`Network of ${count(one.network_nodes)} nodes and ${count(one.network_links)} links.`);
    texts.push(one.proven ? `Proven optimum: ${this.objective(one, one.best_objective)}.`
      : one.best_objective === null ? "No deployment is known." : `Best known: ${this.objective(one, one.best_objective)}; proven bound: ${this.objective(one, one.best_bound)}.`);
    if (network && network.nodes.length < network.all_nodes) texts.push(`Of ${count(network.all_nodes)} nodes only the ${count(network.nodes.length)} that hold a source or that some deployment uses are drawn.`);
    if (one.drawing && one.drawing.several > one.drawing.applications.length) texts.push(`Of ${count(one.drawing.several)} applications the first ${one.drawing.applications.length} can be drawn.`);
    if (network && network.nodes.length > CROWD) texts.push("Dots are nodes that neither placement uses.");
    if (!one.drawing) texts.push("Its network is not part of these results, so placements cannot be drawn.");
    byId("instance-facts").replaceChildren(el("p", {}, texts.join(" ")));
  },

  objective(one, value) {
    return quantity(value, one.objective_unit, 7);
  },

  several() {
    return data.instances[this.at].applications > 1;
  },

  /** What a run found: energy per inference, or the objective where it is another one or of several applications. */
  cost(run) {
    const unit = data.instances[this.at].objective_unit;
    return this.several() || !"JW".includes(unit) ? quantity(ifFound("objective")(run), unit, 6) : quantity(ifFound("energy_j")(run), "J", 6);
  },

  decision(run, app) {
    const placement = runs.placement[run];
    if (placement === null || !app) return null;
    return data.placements[placement].applications.find((decision) => decision.application === app.name) ?? null;
  },

  drawSides(one, shown) {
    const app = one.drawing?.applications[Number(this.application.value) || 0];
    const decisions = shown.map((run) => this.decision(run, app));
    const sum = (decision, a, b) => (decision ? decision.blocks.reduce((total, block) => total + block[a] + block[b], 0) : 0);
    const scales = {
      energy: Math.max(...decisions.map((decision) => sum(decision, 3, 4))),
      latency: Math.max(app ? app.max_latency_s : 0, ...decisions.map((decision) => sum(decision, 5, 6))) * 1.02,
    };
    const network = one.drawing ? data.networks[one.drawing.network] : null;
    const named = new Set();
    if (network) {
      const every = network.nodes.length <= CROWD;
      network.nodes.forEach(([name]) => { if (every || name === app.source) named.add(name); });
      decisions.forEach((decision) => decision?.blocks.forEach(([node, , route]) => [node, ...route].forEach((name) => named.add(name))));
    }
    byId("sides").replaceChildren(...shown.map((run, side) => this.drawSide(one, run, app, decisions[side], network, named, scales, side)));
    this.compare(decisions, shown);
  },

  drawSide(one, run, app, decision, network, named, scales, side) {
    const name = this.runName(run, this.runsOf[this.at]);
    const box = el("section", { class: "side", "aria-label": `${side ? "Right" : "Left"}: ${name}` });
    box.append(el("h3", {}, name, el("span", { class: "status" }, this.outcome(run))));
    if (!network) return box;
    const dnn = data.dnns[decision?.dnn ?? app.dnn]; // of several alternatives the decision names the one that runs
    const wide = Math.max(290, Math.min(720, byId("sides").clientWidth > 1000 ? (byId("sides").clientWidth - 24) / 2 - 10 : byId("sides").clientWidth - 10));
    const said = `Network by tiers with the placement of ${name}: ${this.inWords(app, decision)}`;
    const image = drawNetwork(network, app, dnn, decision, named, wide, said);
    const title = `${this.names[this.at]}: ${name}`;
    box.append(el("div", { class: "picture" }, image));
    box.append(el("div", { class: "saves", role: "group", "aria-label": `Download the placement of ${name}` },
      ...pictureButtons("placement", `the placement of ${name}`, () => sheet(title, [{ name: "", image }], []))));
    if (!decision) {
      const rejected = runs.placement[run] !== null && data.placements[runs.placement[run]].rejected.includes(app.name);
      const why = rejected ? "This application is turned away." : textOf("reason", run) || "This run has no deployment to draw.";
      box.append(el("p", { class: "notice" }, why));
      return box;
    }
    box.append(drawBars(app, decision, scales, wide), this.blockTable(app, dnn, decision, name));
    const uses = useTable(data.placements[runs.placement[run]].uses, name);
    if (uses) box.append(uses);
    return box;
  },

  outcome(run) {
    const parts = [textOf("status", run)];
    if (runs.found[run]) parts.push(this.cost(run));
    const gap = runs.gap_to_best_known?.[run] ?? null;
    if (gap !== null) parts.push(gap < 5e-7 ? "the best known" : `${percent(gap)}${NO_BREAK}% above the best known`);
    if (runs.time_s?.[run] !== null && runs.time_s) parts.push(`${runs.found[run] ? "found in" : "ended after"} ${quantity(runs.time_s[run], "s", 3)}`);
    return parts.join(" · ");
  },

  inWords(app, decision) {
    if (!decision) return "none";
    return `source ${app.source}; ${decision.blocks.map(([node], k) => `block ${k + 1} on ${node}`).join(", ")}; last exit ${decision.last_exit}${decision.dnn === undefined ? "" : ` of ${data.dnns[decision.dnn].name}`}`;
  },

  blockTable(app, dnn, decision, name) {
    const exits = new Map(dnn.exits.map((exit, e) => [exit[1], `exit ${e + 1} · ${short(100 * exit[3])} %`]));
    const rows = decision.blocks.map(([node, share, route, computeJ, transferJ, computeS, transferS], k) => {
      const notes = [share < 1 ? `${short(100 * share)} % of it` : "", route.length > 2 ? `via ${route.slice(1, -1).join(", ")}` : ""];
      const label = dnn.blocks[k][0] ? `${k + 1} ${dnn.blocks[k][0]}` : String(k + 1);
      const small = (text) => (text ? el("small", {}, text) : null);
      const numbers = [short(100 * dnn.survival[k]), quantity(computeJ, "J"), quantity(transferJ, "J"), quantity(computeS, "s"), quantity(transferS, "s")];
      return el("tr", {}, el("td", {}, label, small(exits.get(k + 1))), el("td", {}, node, small(notes.filter(Boolean).join("; "))),
        ...numbers.map((text) => el("td", { class: "number" }, text)));
    });
    const keyed = (kind, what) => el("th", { scope: "col", class: "number" }, el("span", { class: `key ${kind}`, "aria-hidden": "true" }), ` ${kind} ${what}`);
    const head = [el("th", { scope: "col" }, "block"), el("th", { scope: "col" }, "node"), el("th", { scope: "col", class: "number" }, "samples [%]"),
      ...["energy", "time"].flatMap((what) => ["compute", "transfer"].map((kind) => keyed(kind, what)))];
    const table = el("table", {}, caption(`${name}, block by block`), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
    return el("div", { class: "scroll blocks", role: "region", tabindex: 0, "aria-label": `${name}, block by block` }, table);
  },

  /** Says where the two deployments differ: the chosen application's placement, then all applications. */
  compare(decisions, shown) {
    const one = data.instances[this.at];
    const node = byId("difference");
    node.replaceChildren();
    if (shown[0] === shown[1]) return;
    const said = placementsApart(...decisions);
    const several = this.several();
    const app = one.drawing?.applications[Number(this.application.value) || 0];
    if (said) node.append(el("p", {}, several ? `${app.name}: ${said[0].toLowerCase()}${said.slice(1)}` : said));
    const placements = shown.map((run) => (runs.placement[run] === null ? null : data.placements[runs.placement[run]]));
    if (several && placements.every(Boolean)) {
      node.append(el("p", {}, deploymentsApart(...placements, one.drawing.applications.map(({ name }) => name), one.drawing.several)));
    }
  },

  drawRuns(here, shown) {
    const columns = [
      ["status", (run) => textOf("status", run)],
      ...(here.some((run) => textOf("dnn", run)) ? [["DNN", (run) => textOf("dnn", run) || DASH]] : []),
      [this.several() ? "total power" : "energy", (run) => this.cost(run), ifFound(this.several() ? "objective" : "energy_j")],
      ["gap to bound [%]", (run) => percent(numberOf("gap_to_best_bound")(run)), numberOf("gap_to_best_bound")],
      ["gap to best [%]", (run) => percent(numberOf("gap_to_best_known")(run)), numberOf("gap_to_best_known")],
      ...(this.several() ? [["rejected", (run) => short(ifFound("rejected")(run)), ifFound("rejected")]] : [
        ["latency", (run) => quantity(ifFound("latency_s")(run), "s"), ifFound("latency_s")],
        ["accuracy", (run) => short(ifFound("accuracy")(run)), ifFound("accuracy")]]),
      ["time", (run) => quantity(numberOf("time_s")(run), "s", 3), numberOf("time_s")],
    ];
    const values = [(run) => runs.variant.of_run[run], ...columns.map(([, text, value]) => value ?? text)];
    const headings = [el("th", { scope: "col" }, "method"), ...columns.map(([name, , value]) => el("th", { scope: "col", class: value ? "number" : null }, name))];
    const body = el("tbody", {});
    const show = (order) => body.replaceChildren(...order.map((run) => el("tr", { class: shown.includes(run) ? "chosen" : null },
      el("th", { scope: "row" }, this.runName(run, here)),
      ...columns.map(([, text, value]) => el("td", { class: value ? "number" : null }, text(run))))));
    sortableHead(headings, (column, ascending) => show(sortedOrder(here.map(values[column]), ascending).map((k) => here[k])));
    show(here);
    const title = `Every method on ${this.names[this.at]}`;
    const table = el("table", {}, caption(title), el("thead", {}, el("tr", {}, ...headings)), body);
    byId("instance-runs").replaceChildren(el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": title }, table));
  },
};
