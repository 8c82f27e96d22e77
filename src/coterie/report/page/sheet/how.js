// Groups as cards, the figures with their definitions, and how all was done.

const membersWord = () => record.members || "rows";

// "1 customer", "2 customers": members are told in the plural.
function sized(n) {
  const many = membersWord();
  return `${count(n)} ${n === 1 ? many.replace(/ies$/, "y").replace(/(?<=[sx])es$/, "").replace(/(?<!s)s$/, "") : many}`;
}

function groupOfSheet(one) {
  return card(
    one,
    sized(one.size),
    membersWord(),
    pickButton(one.id, "quiet", "Pick out"),
    one.picture && el("p", { class: "card-picture" }, pixels(one.picture)),
    list(one.phrases).length > 0 && el("ul", { class: "phrases" }, one.phrases.map((phrase) => el("li", {}, el("bdi", {}, titled(text(phrase)))))),
    list(one.facts).length > 0 && el("dl", { class: "sureness" }, one.facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, el("b", {}, el("bdi", {}, shown(value))))))),
    known(one.rule) && el("div", { class: "rule" }, el("h4", {}, "Rule of thumb"), el("p", { class: "rule-text" }, one.rule)),
  );
}

function groupsOfSheet() {
  const found = cardsSection(clusters, groupOfSheet, "The number and colour of each are the same on the whole page. Pick one out to fade the others.");
  if (found && population.noise_rows > 0) found.append(el("p", { class: "soft" }, noGroup(sized)));
  return found;
}

function metricWords(metric, value = metric.value) {
  return shown(value, metric.format, metric.unit);
}

function metricLine(metric) {
  const limits = isNumber(metric.low) && isNumber(metric.high) && soft(` ${metricWords(metric, metric.low)} to ${metricWords(metric, metric.high)}`);
  return el("tr", {}, rowHead(metric.label || metric.name, el("div", { class: "soft metric-name" }, metric.name)), figureCell(metricWords(metric), limits), el("td", { class: "why" }, sentence(metric.definition)));
}

function metricsSection() {
  const all = list(record.metrics);
  if (!all.length) return null;
  const save = () => download(fileName("metrics", "csv"), csvOf([["name", "label", "value", "low", "high", "unit", "definition"], ...all.map((one) => [one.name, one.label, one.value, one.low, one.high, one.unit, one.definition])]), "text/csv");
  return section("metrics", "The figures and what they mean", "The same stand in metrics.json, under the name in small letters.", el("p", { class: "view-tools" }, saveButton("CSV", "Save as a table: the figures", save)), plainTable("Figures with their definitions", ["Figure", "Value", "What it is"], all.map(metricLine)));
}

function keyFigures() {
  const all = list(record.metrics).filter((one) => known(one.value));
  const chosenOnes = all.filter((one) => one.key);
  return figures(...(chosenOnes.length ? chosenOnes : all.slice(0, 4)).slice(0, 6).map((one) => [metricWords(one), one.label || one.name]));
}

function originOfSheet() {
  const { input } = record;
  const parts = [input.name || "?", isNumber(input.rows) && rows(input.rows)].filter(Boolean);
  return originBlock([["Data", `${parts.join(", ")}${inBytes(input.bytes)}`], ["Fingerprint of the data", input.fingerprint]], { title: "What was decided about the file", notes: record.notes, open: true });
}

function howSheetWasMade() {
  return section("method", "How this was done", null, stepsBlock(), originOfSheet());
}

function wordsOfSheet() {
  const found = glossarySection();
  found.querySelector("dl").prepend(...list(record.words).map(([word, meaning]) => el("div", {}, el("dt", {}, word), el("dd", {}, sentence(meaning)))));
  return found;
}
