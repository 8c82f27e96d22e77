// The page of a network, from top to bottom.

// What the shared parts ask for: this page has no map of rows.
const page = { map: false, drawn: null };
const MOST_ATTRIBUTES = 60;

function classesInWords() {
  if (!clusters.length) return "No classes";
  if (record.structure.verdict === "none") return "No clear classes";
  return record.n_classes === 1 ? "One class" : `${count(record.n_classes)} classes`;
}

function doubtBanner() {
  if (record.structure.verdict !== "none") return null;
  return el("div", { class: "banner", role: "note" }, el("b", {}, "No clear classes in this network"), el("p", {}, sentence(record.structure.sentence), " The classes below only cut the network into parts; don't read more into them."));
}

function metric(name) {
  return (record.metrics.find((one) => one.name === name) || {}).value;
}

function keyFigures() {
  const figure = (value, words) => el("div", {}, el("dd", {}, value), el("dt", {}, words));
  return el(
    "dl",
    { class: "figures" },
    figure(count(record.n_classes), record.n_classes === 1 ? "class" : "classes"),
    isNumber(metric("coverage")) && record.input.links > 0 && figure(percent(metric("coverage")), "of the links stay inside a class"),
    isNumber(metric("modularity")) && record.input.links > 0 && figure(metric("modularity").toFixed(2), "modularity; 0 is chance"),
    record.unplaced.nodes > 0 && figure(count(record.unplaced.nodes), record.unplaced.nodes === 1 ? "node belongs to no class" : "nodes belong to no class"),
  );
}

// All nodes as one bar, cut in classes; what is too thin to see is one part at the end.
function compositionBar() {
  if (clusters.length < 2) return null;
  const wide = clusters.filter((one) => one.share > 0.004).slice(0, 60);
  const rest = 1 - wide.reduce((sum, one) => sum + one.share, 0);
  const parts = wide.map((one) => {
    const button = pickButton(one.id, "part", one.share > 0.03 ? el("span", { "aria-hidden": "true" }, String(one.id)) : null);
    const color = colorOf(one.id);
    button.style.setProperty("flex-grow", String(one.share));
    button.style.setProperty("background-color", color);
    button.style.setProperty("color", inkOn(color));
    button.title = `${one.name}: ${percent(one.share)}`;
    button.setAttribute("aria-label", `Class ${one.id}, ${one.name}, ${percent(one.share)}`);
    return button;
  });
  const others = rest > 0.002 && el("span", { class: "part part-rest", title: `All others: ${percent(rest)}`, style: { "flex-grow": String(rest) } });
  return el("div", { class: "composition", role: "group", "aria-label": "Share of each class; click one to pick it out" }, parts, others);
}

function networkMasthead() {
  const { input } = record;
  const made = text(record.created || "").slice(0, 10);
  const kind = `${input.directed ? "directed" : "undirected"}${input.weighted ? ", weighted" : ""}`;
  return el(
    "header",
    { class: "masthead" },
    el("p", { class: "overline" }, [input.name, input.nodes_file, nodesWord(input.nodes), `${count(input.links)} ${input.links === 1 ? "link" : "links"}, ${kind}`, made].filter(known).join(" · ")),
    el("h1", {}, classesInWords()),
    el("p", { class: "answer" }, list(record.answer).join(" ")),
    doubtBanner(),
    keyFigures(),
    compositionBar(),
    list(record.warnings).length > 0 && el("div", { class: "cautions" }, el("h2", {}, "Before you rely on this"), warningsList()),
  );
}

function metricsBlock() {
  const names = { modularity: "Modularity", coverage: "Links inside", cut: "Cut", mean_conductance: "Mean conductance", max_conductance: "Largest conductance", normalized_cut: "Normalised cut", ratio_cut: "Ratio cut", balance: "Balance" };
  const lines = record.metrics.filter((one) => isNumber(one.value)).map((one) => el("tr", {}, el("th", { scope: "row" }, names[one.name] || one.name), el("td", { class: "number" }, one.name === "coverage" ? percent(one.value) : exact.format(one.value)), el("td", { class: "why" }, one.definition)));
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
  const lines = order.slice(0, MOST_ATTRIBUTES).map((one) => el("tr", { class: one.described || one.compared ? null : "unused" }, el("th", { scope: "row" }, one.name), el("td", {}, one.role), el("td", {}, one.compared ? "found the classes" : one.described ? "only describes" : "left out"), el("td", { class: "why" }, known(one.why) ? sentence(one.why) : "–"), el("td", { class: "number" }, one.missing ? count(one.missing) : "none"), el("td", { class: "number" }, isNumber(one.ami) ? one.ami.toFixed(2) : "–")));
  return block("Attributes", "Agreement with the classes: 1 is the same, 0 is chance.", plainTable("Attributes", ["Attribute", "Kind", "Use", "Why", "Blanks", "Agreement"], lines), order.length > MOST_ATTRIBUTES && el("p", { class: "soft" }, `The ${MOST_ATTRIBUTES} that agree most, of ${count(order.length)}; run.json holds all.`));
}

function networkTruthBlock() {
  const { truth } = record;
  if (!truth) return null;
  const facts = [["Adjusted mutual information", truth.ami], ["Adjusted Rand index", truth.ari], ["Accuracy", truth.accuracy]].filter(([, value]) => isNumber(value)).map(([words, value]) => [words, short.format(value)]);
  return block("Against the known answer", `Compared with ${text(truth.column)}, which was not used, over ${nodesWord(truth.nodes)}. 1 is perfect agreement, 0 is chance.`, factList(facts));
}

function fileBlock() {
  const { input } = record;
  const notes = list(record.notes);
  const facts = [
    ["Links", `${input.name || "?"}: ${count(input.listed)} listed, ${count(input.links)} different${isNumber(input.bytes) ? `, ${bytes(input.bytes)}` : ""}`],
    ["Nodes", `${count(input.nodes)}${known(input.nodes_file) ? `, attributes from ${input.nodes_file}` : ""}`],
    ["Isolated nodes", input.isolated ? count(input.isolated) : null],
    ["Links from a node to itself", input.self_loops ? count(input.self_loops) : null],
    ["Listed more than once", input.merged ? `${count(input.merged)}; their weights were added up` : null],
    ["Made", record.created],
    ["Options given", settings(record.options) || "none"],
    ["Seed", `${record.seed} (the same seed gives the same classes)`],
    ["Versions", Object.entries(record.versions || {}).map(([name, version]) => `${name} ${version}`).join(", ")],
  ].filter(([, value]) => known(value));
  return block("Origin", null, factList(facts), notes.length > 0 && el("details", { open: true }, el("summary", {}, "What to know about the file"), el("ul", {}, notes.map((note) => el("li", {}, sentence(note))))));
}

function contributions(parts) {
  if (!parts || !(parts.links + parts.attributes > 0)) return "";
  return ` Of what the classes predict about links and values that were held out, ${percent(parts.links)} is about links and ${percent(parts.attributes)} about attributes.`;
}

function howSection() {
  const chosen = record.chosen || {};
  const params = settings(chosen.params);
  return section("method", "How this was done", null, block("Method", `${chosen.method}${params ? ` (${params})` : ""}: ${chosen.why}.${contributions(chosen.contributions)}`), networkCheckBlock(), metricsBlock(), attributesBlock(), networkTruthBlock(), stepsBlock(), fileBlock());
}

function networkContents(parts) {
  return el("nav", { "aria-label": "On this page" }, el("ul", {}, parts.map((part) => el("li", {}, el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)))));
}

function networkFooter() {
  const files = Object.entries(record.files || {}).filter(([kind]) => kind !== "report");
  return el(
    "footer",
    {},
    files.length > 0 && el("p", {}, "In the same folder: ", files.map(([, name]) => name).join(", "), "."),
    el("p", { class: "soft" }, `Made by coterie ${record.coterie || ""}. This page works offline and sends nothing anywhere.`),
  );
}

function buildNetwork() {
  const parts = [drawingSection(), matrixSection(), classesSection(), sideBySideSection(), bridgesSection(), membersSection(), howSection(), glossarySection()].filter(Boolean);
  document.body.append(
    el("a", { class: "skip", href: "#content" }, "Skip to the classes"),
    el("main", { id: "content" }, networkMasthead(), networkContents(parts), parts),
    networkFooter(),
  );
  addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach((one) => { one.open = true; one.dataset.folded = "yes"; }));
  addEventListener("afterprint", () => document.querySelectorAll("details[data-folded]").forEach((one) => { one.open = false; delete one.dataset.folded; }));
  document.documentElement.dataset.ready = "yes";
}

buildNetwork();
