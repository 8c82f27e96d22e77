// One card a group: how big, what sets it apart, how sure, and rows that show it.

const FIRST_CARDS = 12;

function gradeOf(value) {
  return value >= 0.9 ? "very firm" : value >= 0.75 ? "firm" : value >= 0.6 ? "somewhat shaky" : "shaky";
}

// How big a cluster is, of all `things`, a button to find it by, and what the page has to say of it.
function card({ id, share }, size, things, button, ...parts) {
  const part = percent(share);
  const title = el("h3", { id: `group-${id}-name` }, nameNode(id));
  return markPicked(id, el(
    "article",
    { class: "card", id: `group-${id}`, "aria-labelledby": `group-${id}-name` },
    el("header", { class: "card-head" }, badge(id), title, el("span", { class: "card-tools" }, renameButton(id, title), button)),
    el("p", { class: "card-size" }, el("b", {}, size), soft(` · ${part} of all`), bar(share, colorOf(id), `${part} of all ${things}`)),
    parts,
  ));
}

function featuresOf(cluster, most, things) {
  const color = colorOf(cluster.id);
  const features = list(cluster.features).slice(0, most);
  return features.length > 0 && el(
    "div",
    { class: "features" },
    el("p", { class: "key" }, el("span", { class: "key-dot", style: { "background-color": color } }), "this group", el("span", { class: "key-ring" }), `all other ${things}`),
    el("ul", {}, features.map((feature) => featureRow(feature, color))),
  );
}

function groupCard(cluster) {
  const [first] = list(cluster.features);
  return card(
    cluster,
    rows(cluster.rows),
    "rows",
    page.map && mapButton(cluster.id),
    // A sentence that only repeats the chart below it is left to the terminal.
    cluster.sentence && !(first && cluster.sentence.includes(first.text)) && el("p", { class: "card-sentence" }, sentence(cluster.sentence)),
    featuresOf(cluster, 5, "rows"),
    regionOf(cluster),
    ruleOf(cluster),
    surenessOf(cluster),
    foundBy(cluster),
    rowsOf("Typical rows", list(cluster.exemplars), cluster, true),
    rowsOf("Rows on the border", list(cluster.border), cluster, false),
  );
}

function mapButton(cluster) {
  const button = pickButton(cluster, "quiet", "Show on map");
  button.addEventListener("click", () => picked.value === cluster && scrollToMap());
  return button;
}

function ruleOf({ rule }) {
  if (!rule || !rule.text) return null;
  return el(
    "div",
    { class: "rule" },
    el("h4", {}, "Rule of thumb"),
    el("p", { class: "rule-text" }, rule.text),
    el("p", { class: "soft" }, `Catches ${percent(rule.coverage)} of the group. Of the rows it catches, ${percent(rule.precision)} are in the group.`),
  );
}

// Of a cluster of a grid: the boxes that hold it.
function regionOf({ region }) {
  return known(region) && el("div", { class: "rule" }, el("h4", {}, "Where it lies"), el("p", { class: "rule-text" }, region));
}

function foundBy(cluster) {
  const { compared, found_by: by } = record.consensus || {};
  const times = list(by)[cluster.id];
  if (!compared || !isNumber(times)) return null;
  const others = compared === 1 ? "the one other candidate that is" : `${times ? count(times) : "none"} of ${count(compared)} other candidates that are`;
  return el("p", { class: "found-by" }, `${compared === 1 && !times ? "Not" : "Also"} found by ${others} nearly as good.`);
}

function surenessOf(cluster) {
  const facts = [
    ["Repeatable", cluster.stability],
    ["Certain rows", cluster.certainty],
    ["Set apart", cluster.separation],
  ].filter(([, value]) => isNumber(value));
  if (!facts.length) return null;
  const color = colorOf(cluster.id);
  return el("dl", { class: "sureness" }, facts.map(([words, value], i) => el(
    "div",
    {},
    el("dt", {}, words),
    el("dd", {}, el("b", {}, percent(value)), i === 0 && soft(` ${gradeOf(value)}`), bar(value, color, percent(value))),
  )));
}

function rowsOf(title, numbers, cluster, open) {
  const shown = numbers.filter((row) => sampleRows[row]);
  if (!shown.length) return null;
  // The columns that set the group apart come first; the others follow as they stand in the data.
  const first = list(cluster.features).map((feature) => feature.column);
  const names = [...new Set([...first, ...Object.keys(sampleRows[shown[0]])])].filter((name) => name in sampleRows[shown[0]]).slice(0, 6);
  return el(
    "details",
    { open },
    el("summary", {}, title),
    scroller(`${title} of ${noun} ${cluster.id}`, el(
      "table",
      {},
      el("thead", {}, el("tr", {}, heading("row"), names.map((name) => heading(name, shown.every((row) => isNumber(sampleRows[row][name])))))),
      el("tbody", {}, shown.map((row) => el("tr", {}, rowHead(rowButton(row)), names.map((name) => cell(sampleRows[row][name], name))))),
    )),
  );
}

// What the map shows beside a row's point.
function valuesOf(row) {
  const values = Object.entries(sampleRows[row] || {}).slice(0, 10);
  const shown = values.map(([name, value]) => [el("dt", {}, clip(name, 40)), el("dd", {}, clip(number(value, name), 60))]);
  return [el("div", { class: "soft" }, `row ${row}`), shown.length ? el("dl", {}, shown) : el("div", { class: "soft" }, "its values are not kept in this report")];
}

function heading(name, numeric) {
  return el("th", { scope: "col", class: numeric ? "number" : null }, name);
}

function cell(value, column) {
  return el("td", { class: isNumber(value) ? "number" : null }, isNumber(value) ? number(value, column) : known(value) ? clip(value, 120) : soft("missing"));
}

// A row number that shows its point on the map.
function rowButton(row) {
  if (!page.map) return String(row);
  return el("button", { type: "button", class: "row-link", "aria-label": `Show row ${row} on the map`, on: { click: () => showRow(row) } }, String(row));
}

function scroller(label, table) {
  return el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label }, table);
}

function framed(label, heads, body, className) {
  return scroller(label, el("table", { class: className }, el("caption", { class: "unseen" }, label), el("thead", {}, el("tr", {}, heads)), body));
}

function groupsSection() {
  return cardsSection(clusters, groupCard, "Largest first. The dots show a typical value in the group and outside it, on the scale of the column.");
}

// A card for each of `all`; those after the first few are made when they are asked for.
function cardsSection(all, make, lead) {
  if (!all.length) return null;
  const grid = el("div", { class: "cards" }, all.slice(0, FIRST_CARDS).map(make));
  const rest = all.slice(FIRST_CARDS);
  const more = rest.length > 0 && el("button", { type: "button", class: "more", on: { click: (event) => {
    grid.append(...rest.map(make));
    event.target.remove();
    for (const listener of picked.listeners) listener(picked.value);
  } } }, `Show the ${clusters.length > all.length ? "next" : "other"} ${count(rest.length)} ${nouns}`);
  return section("groups", clusters.length === 1 ? `The ${noun}` : `The ${nouns}, one by one`, clusters.length > 1 && lead, namesNote(), grid, more);
}
