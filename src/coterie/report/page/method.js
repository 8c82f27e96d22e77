// How the answer was reached, and the words used on this page (which stand in page.html).

function plainTable(label, heads, lines) {
  return scroller(label, el(
    "table",
    {},
    el("caption", { class: "unseen" }, label),
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, lines),
  ));
}

function settings(params) {
  return Object.entries(params || {}).map(([name, value]) => `${name} = ${isNumber(value) ? number(value, "id") : text(value)}`).join(", ");
}

function warningsList() {
  const warnings = list(record.warnings);
  if (!warnings.length) return null;
  return el("ul", { class: "warnings" }, warnings.map((warning) => el("li", {}, el("b", {}, sentence(warning.text)), known(warning.remedy) && el("span", {}, ` ${sentence(warning.remedy)}`))));
}

function columnsBlock() {
  const columns = list(record.columns);
  if (!columns.length) return null;
  const used = columns.filter((column) => column.used).length;
  const lines = columns.map((column) => el(
    "tr",
    { class: column.used ? null : "unused" },
    el("th", { scope: "row" }, column.name),
    el("td", {}, column.used ? "used" : "left out"),
    el("td", {}, column.role),
    el("td", { class: "why" }, known(column.why) ? sentence(column.why) : "–"),
    el("td", { class: "number" }, column.missing ? `${count(column.missing)}${known(column.fill) ? ` → ${number(column.fill)}` : ""}` : "none"),
    el("td", {}, column.used && known(column.coding) ? column.coding : "–"),
  ));
  return block("Columns", `${count(used)} of ${count(columns.length)} columns decided which rows are alike. Blanks were filled with the value after the arrow.`, plainTable("Columns", ["Column", "", "Kind", "Why", "Blanks", "Treated"], lines));
}

function candidatesBlock() {
  const candidates = list(record.candidates);
  const chosen = record.chosen || {};
  const why = known(chosen.why) ? ` ${sentence(chosen.why)}` : "";
  const lead = `${chosen.method || "?"}${settings(chosen.params) ? ` (${settings(chosen.params)})` : ""}.${why}${chosen.exact === false ? " The result is approximate." : ""}`;
  const lines = candidates.map((one) => el(
    "tr",
    { class: one.chosen ? "chosen" : null },
    el("th", { scope: "row" }, one.method, one.chosen && el("span", { class: "tag" }, "chosen")),
    el("td", {}, settings(one.params) || "–"),
    el("td", { class: "number" }, count(one.n_clusters)),
    ...[one.noise_share, one.stability].map((share) => el("td", { class: "number" }, isNumber(share) ? percent(share) : "–")),
    ...[one.validity, one.score].map((value) => el("td", { class: "number" }, isNumber(value) ? short.format(value) : "–")),
    el("td", { class: "why" }, known(one.reason) ? sentence(one.reason) : "–"),
  ));
  return block("Method", lead, lines.length > 0 && plainTable("Methods tried", ["Method", "Settings", "Groups", "No group", "Stability", "Validity", "Score", "Reason"], lines));
}

function structureBlock() {
  const { structure = {}, judge } = record;
  const facts = [];
  if (isNumber(structure.statistic) && isNumber(structure.null_mean)) {
    facts.push(["Clearness of the groups", short.format(structure.statistic)]);
    facts.push(["The same, in data without groups", `${short.format(structure.null_mean)}${isNumber(structure.null_sd) ? ` ± ${short.format(structure.null_sd)}` : ""}`]);
  }
  if (isNumber(structure.p_value)) facts.push(["Chance of such clearness without groups", structure.p_value < 0.01 ? "below 1%" : percent(structure.p_value)]);
  for (const [words, value] of [["Silhouette", (judge || {}).silhouette], ["Stability", (judge || {}).stability], ["Separation", (judge || {}).separation]]) {
    if (isNumber(value)) facts.push([words, short.format(value)]);
  }
  if (!facts.length) return null;
  return block("Check", known(structure.sentence) ? sentence(structure.sentence) : null, factList(facts));
}

function truthBlock() {
  const truth = (record.judge || {}).truth;
  if (!truth) return null;
  const facts = [["Adjusted Rand index", truth.ari], ["Adjusted mutual information", truth.ami], ["Accuracy", truth.accuracy]].filter(([, value]) => isNumber(value)).map(([words, value]) => [words, short.format(value)]);
  const table = truth.table || {};
  const lines = list(table.counts).map((counts, i) => el("tr", {}, el("th", { scope: "row" }, text(list(table.classes)[i])), list(counts).map((value) => el("td", { class: "number" }, count(value)))));
  return block("Against the known answer", `Compared with the column ${text(truth.column)}, which was not used for grouping. 1 is perfect agreement, 0 is chance.`, factList(facts), lines.length > 0 && plainTable("Known answer against groups", ["", ...list(table.clusters).map((id) => (id === NOISE ? "no group" : `group ${id}`))], lines));
}

function factList(facts) {
  return el("dl", { class: "facts" }, facts.map(([words, value]) => el("div", {}, el("dt", {}, words), el("dd", {}, value))));
}

function stepsBlock() {
  const steps = list(record.steps);
  const plan = record.plan || {};
  const planned = isNumber(plan.bytes) || isNumber(plan.seconds)
    ? `Planned before it began: ${seconds(plan.seconds)} and ${bytes(plan.bytes)} of memory${isNumber(plan.memory_limit) ? ` of the ${bytes(plan.memory_limit)} allowed` : ""}${isNumber(plan.sample_rows) ? `; methods were compared on ${rows(plan.sample_rows)} drawn at random` : ""}.`
    : null;
  if (!steps.length && !planned) return null;
  return block("Steps", planned, steps.length > 0 && el("ol", { class: "steps" }, steps.map((step) => el("li", {}, el("span", { class: "step-name" }, step.name), el("span", {}, step.text), el("span", { class: "soft step-time" }, seconds(step.seconds))))));
}

function originBlock() {
  const input = record.input || {};
  const versions = Object.entries(record.versions || {}).map(([name, version]) => `${name} ${version}`).join(", ");
  const options = settings(record.options);
  const facts = [
    ["Data", `${input.name || "?"}, ${rows(input.rows)}, ${count(input.columns)} columns${isNumber(input.bytes) ? `, ${bytes(input.bytes)}` : ""}`],
    ["Fingerprint of the data", input.fingerprint],
    ["Made", record.created],
    ["Options given", options || "none"],
    ["Seed", `${record.seed} (the same seed gives the same groups)`],
    ["Engine", (record.chosen || {}).engine],
    ["Versions", versions],
  ].filter(([, value]) => known(value));
  const notes = list(input.notes);
  return block("Origin", null, factList(facts), notes.length > 0 && el("details", {}, el("summary", {}, "How the file was read"), el("ul", {}, notes.map((note) => el("li", {}, sentence(note))))));
}

function populationBlock() {
  const population = record.population || {};
  const actions = list(population.actions);
  if (!actions.length && !isNumber(population.min_rows)) return null;
  const lead = isNumber(population.min_rows) ? `A group needs at least ${rows(population.min_rows)}.` : null;
  return block("Small groups", lead, actions.length ? el("ul", {}, actions.map((action) => el("li", {}, sentence(action)))) : el("p", {}, "No group was too small."));
}

function block(title, lead, ...children) {
  return el("div", { class: "block" }, el("h3", {}, title), el("div", { class: "block-body" }, lead && el("p", {}, lead), children));
}

function methodSection() {
  return section("method", "How this was done", null, columnsBlock(), candidatesBlock(), structureBlock(), truthBlock(), populationBlock(), stepsBlock(), originBlock());
}

function glossarySection() {
  return section("words", "Words on this page", null, document.getElementById("glossary").content);
}
