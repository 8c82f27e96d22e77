// How the answer was reached, and the words used on this page (which stand in page.html).

function plainTable(label, heads, lines) {
  // A heading stands over its numbers.
  const overNumbers = (i) => lines.length > 0 && lines[0].children[i]?.classList.contains("number");
  return framed(label, heads.map((head, i) => heading(head, overNumbers(i))), el("tbody", {}, lines));
}

function settings(params) {
  return Object.entries(params || {}).map(([name, value]) => `${name} = ${isNumber(value) ? number(value, "id") : text(value)}`).join(", ");
}

function columnsBlock() {
  const columns = list(record.columns);
  if (!columns.length) return null;
  const used = columns.filter((column) => column.used).length;
  const lines = columns.map((column) => el(
    "tr",
    { class: column.used ? null : "unused" },
    rowHead(column.name),
    el("td", {}, column.used ? "used" : "left out"),
    el("td", {}, column.role),
    whyCell(column.why),
    figureCell(column.missing ? `${count(column.missing)}${known(column.fill) ? ` → ${number(column.fill)}` : ""}` : "none"),
    el("td", {}, column.used && known(column.coding) ? column.coding : "–"),
  ));
  return block("Columns", `${count(used)} of ${columnsInWords(columns.length)} decided which rows are alike. Blanks were filled with the value after the arrow.`, plainTable("Columns", ["Column", "Use", "Kind", "Why", "Blanks", "Treated"], lines));
}

function chosenWords() {
  const params = settings(chosen.params);
  return `${chosen.method || "?"}${params ? ` (${params})` : ""}`;
}

function candidatesBlock() {
  const candidates = list(record.candidates);
  const why = known(chosen.why) ? ` ${sentence(chosen.why)}` : "";
  const lead = `${chosenWords()}.${why}${chosen.exact === false ? " The result is approximate." : ""}`;
  const lines = candidates.map((one) => el(
    "tr",
    { class: one.chosen ? "chosen" : null },
    rowHead(one.method, one.chosen && el("span", { class: "tag" }, "chosen")),
    el("td", {}, settings(one.params) || "–"),
    figureCell(count(one.n_clusters)),
    ...[one.noise_share, one.stability].map((share) => figureCell(isNumber(share) ? percent(share) : "–")),
    ...[one.validity, one.score].map((value) => figureCell(isNumber(value) ? short.format(value) : "–")),
    whyCell(one.reason),
  ));
  return block("Method", lead, candidatesView(), lines.length > 0 && plainTable("Methods tried", ["Method", "Settings", "Groups", "No group", "Stability", "Validity", "Score", "Reason"], lines));
}

function structureBlock() {
  const { structure } = record;
  const facts = [];
  if (isNumber(structure.statistic) && isNumber(structure.null_mean)) {
    facts.push(["Clearness of the groups", short.format(structure.statistic)]);
    facts.push(["The same, in data without groups", `${short.format(structure.null_mean)}${isNumber(structure.null_sd) ? ` ± ${short.format(structure.null_sd)}` : ""}`]);
  }
  if (isNumber(structure.p_value)) facts.push(["Chance of such clearness without groups", structure.p_value < 0.01 ? "below 1%" : percent(structure.p_value)]);
  facts.push(...inFigures(record.figures || [["Silhouette", judge.silhouette], ["Stability", judge.stability], ["Separation", judge.separation]]));
  if (!facts.length) return null;
  return block("Check", sentence(structure.sentence), factList(facts), nullView(structure));
}

// What would be found if a setting were a little lower or higher.
function sensitivityBlock() {
  const lines = list(judge.sensitivity);
  if (!lines.length) return null;
  const used = chosen.params || {};
  const rowsOfTable = lines.map((line) => el("tr", {},
    rowHead(`${line.parameter} ${text(line.value)}`),
    figureCell(text(used[line.parameter])),
    figureCell(count(line.n_clusters)),
    figureCell(percent(line.agreement)),
  ));
  return block("Other settings", "The same method with one setting a little lower or higher, and how far its groups are then the same. 100% is no change.",
    plainTable("Other settings", ["Setting", "Instead of", "Groups", "Agreement"], rowsOfTable));
}

function truthBlock() {
  const { truth } = judge;
  if (!truth) return null;
  const facts = inFigures([["Adjusted Rand index", truth.ari], ["Adjusted mutual information", truth.ami], ["Accuracy", truth.accuracy]]);
  const table = truth.table || {};
  const lines = list(table.counts).map((counts, i) => el("tr", {}, rowHead(text(list(table.classes)[i])), counts.map((value) => figureCell(count(value)))));
  return block("Against the known answer", `Compared with the column ${text(truth.column)}, which was not used for grouping. 1 is perfect agreement, 0 is chance.`, factList(facts), lines.length > 0 && plainTable("Known answer against groups", ["Known answer", ...list(table.clusters).map((id) => (id === NOISE ? "no group" : `group ${id}`))], lines));
}

// Of pairs of words and a number, those whose number is known.
function inFigures(pairs) {
  return pairs.filter(([, value]) => isNumber(value)).map(([words, value]) => [words, short.format(value)]);
}

function factList(facts) {
  return el("dl", { class: "facts" }, facts.map(([words, value]) => el("div", {}, el("dt", {}, words), el("dd", {}, value))));
}

function stepsBlock() {
  const steps = list(record.steps);
  const plan = record.plan || {};
  const planned = isNumber(plan.bytes) || isNumber(plan.seconds)
    ? `Planned before it began: ${seconds(plan.seconds)} and ${bytes(isNumber(plan.least_bytes) ? plan.least_bytes : plan.bytes)} of memory${isNumber(plan.memory_limit) ? ` of the ${bytes(plan.memory_limit)} allowed` : ""}${isNumber(plan.sample_rows) ? `; methods were compared on ${rows(plan.sample_rows)} drawn at random` : ""}.`
    : null;
  if (!steps.length && !planned) return null;
  return block("Steps", planned, steps.length > 0 && el("ol", { class: "steps" }, steps.map((step) => el("li", {}, el("span", { class: "step-name" }, step.name), el("span", {}, step.text), el("span", { class: "soft step-time" }, seconds(step.seconds))))));
}

const inBytes = (size) => (isNumber(size) ? `, ${bytes(size)}` : "");

// What was read, and all that the same answer needs; `notes` stand below it, folded or not.
function originBlock(read, { title, notes, open, engine }) {
  const facts = [
    ...read,
    ["Made", record.created],
    ["Options given", settings(record.options) || "none"],
    ["Seed", `${record.seed} (the same seed gives the same ${nouns})`],
    ["Engine", engine],
    ["Versions", Object.entries(record.versions || {}).map((pair) => pair.join(" ")).join(", ")],
  ].filter(([, value]) => known(value));
  return block("Origin", null, factList(facts), list(notes).length > 0 && el("details", { open }, el("summary", {}, title), sentences(notes)));
}

function originOfTable() {
  const { input } = record;
  const data = `${input.name || "?"}, ${rows(input.rows)}, ${columnsInWords(input.columns)}${inBytes(input.bytes)}`;
  const options = { title: "How the file was read", notes: input.notes, engine: chosen.engine };
  return originBlock([["Data", data], ["Fingerprint of the data", input.fingerprint]], options);
}

// `sized` says how many of what there are: rows, or what a page has instead.
function populationBlock(sized) {
  const [actions, least] = [list(population.actions), population.min_rows];
  if (!actions.length && !isNumber(least)) return null;
  return block("Small groups", isNumber(least) && `A group needs at least ${sized(least)}.`, actions.length ? sentences(actions) : el("p", {}, "No group was too small."));
}

function block(title, lead, ...children) {
  return el("div", { class: "block" }, el("h3", {}, title), el("div", { class: "block-body" }, lead && el("p", {}, lead), children));
}

function methodSection() {
  return section("method", "How this was done", null, columnsBlock(), candidatesBlock(), structureBlock(), sensitivityBlock(), truthBlock(), populationBlock(rows), stepsBlock(), originOfTable());
}

function glossarySection() {
  return section("words", "Words on this page", null, document.getElementById("glossary").content.cloneNode(true));
}
