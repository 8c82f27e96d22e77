// How the classes were found and what speaks for them.

const MOST_ATTRIBUTES = 60;

function metricsBlock() {
  const names = { modularity: "Modularity", coverage: "Links inside", cut: "Cut", mean_conductance: "Mean conductance", max_conductance: "Largest conductance", normalized_cut: "Normalised cut", ratio_cut: "Ratio cut", balance: "Balance", stability: "Stability", churn: "Moved to another class", churn_by_chance: "Moved by chance" };
  const lines = record.metrics.filter((one) => isNumber(one.value)).map((one) => el("tr", {}, rowHead(names[one.name] || one.name), figureCell(["coverage", "churn", "churn_by_chance"].includes(one.name) ? percent(one.value) : exact.format(one.value)), el("td", { class: "why" }, one.definition)));
  return block("Figures", null, plainTable("Figures", ["Figure", "Value", "What it is"], lines));
}

function networkCheckBlock() {
  const { structure } = record;
  const facts = [];
  if (isNumber(structure.null_mean)) {
    facts.push(["Modularity here", exact.format(structure.modularity)]);
    facts.push([`The same method on ${count(structure.repeats)} random ${structure.repeats === 1 ? "network" : "networks"} of the same degrees`, `${exact.format(structure.null_mean)}${isNumber(structure.null_sd) ? ` ± ${short.format(structure.null_sd)}` : ""}`]);
  }
  return block("Check", sentence(structure.sentence), facts.length > 0 && factList(facts));
}

function attributesBlock() {
  const attributes = list(record.attributes);
  if (!attributes.length) return null;
  const order = [...attributes].sort((a, b) => b.compared - a.compared || b.described - a.described || (b.ami || 0) - (a.ami || 0));
  const lines = order.slice(0, MOST_ATTRIBUTES).map((one) => el("tr", { class: one.described || one.compared ? null : "unused" }, rowHead(one.name), el("td", {}, one.role), el("td", {}, one.compared ? "found the classes" : one.described ? "only describes" : "left out"), whyCell(one.why), figureCell(one.missing ? count(one.missing) : "none"), figureCell(isNumber(one.ami) ? one.ami.toFixed(2) : "–")));
  return block("Attributes", "Agreement with the classes: 1 is the same, 0 is chance.", plainTable("Attributes", ["Attribute", "Kind", "Use", "Why", "Blanks", "Agreement"], lines), order.length > MOST_ATTRIBUTES && el("p", { class: "soft" }, `The ${MOST_ATTRIBUTES} that agree most, of ${count(order.length)}; run.json holds all.`));
}

function networkTruthBlock() {
  const { truth } = record;
  if (!truth) return null;
  const facts = inFigures([["Adjusted mutual information", truth.ami], ["Adjusted Rand index", truth.ari], ["Accuracy", truth.accuracy]]);
  return block("Against the known answer", `Compared with ${text(truth.column)}, which was not used, over ${nodesWord(truth.nodes)}. 1 is perfect agreement, 0 is chance.`, factList(facts));
}

function originOfNetwork() {
  const { input } = record;
  const read = [
    ["Links", `${input.name || "?"}: ${count(input.listed)} listed, ${count(input.links)} different${inBytes(input.bytes)}`],
    ["Nodes", `${count(input.nodes)}${known(input.nodes_file) ? `, attributes from ${input.nodes_file}` : ""}`],
    ["Isolated nodes", input.isolated ? count(input.isolated) : null],
    ["Links from a node to itself", input.self_loops ? count(input.self_loops) : null],
    ["Listed more than once", input.merged ? `${count(input.merged)}; their weights were added up` : null],
  ];
  return originBlock(read, { title: "What to know about the file", notes: record.notes, open: true });
}

function contributions(parts) {
  if (!parts || !(parts.links + parts.attributes > 0)) return "";
  return ` Of what the classes predict about links and values that were held out, ${percent(parts.links)} is about links and ${percent(parts.attributes)} about attributes.`;
}

function howSection() {
  return section("method", "How this was done", null, block("Method", `${chosenWords()}: ${chosen.why}.${contributions(chosen.contributions)}`), networkCheckBlock(), metricsBlock(), attributesBlock(), networkTruthBlock(), stepsBlock(), originOfNetwork());
}
