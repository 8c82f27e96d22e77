// One card a group: how big, what sets it apart, how sure, and rows that show it.

const FIRST_CARDS = 12;

function gradeOf(value) {
  if (!isNumber(value)) return null;
  return value >= 0.9 ? "very firm" : value >= 0.75 ? "firm" : value >= 0.6 ? "somewhat shaky" : "shaky";
}

function groupCard(cluster) {
  const color = colorOf(cluster.id);
  const features = list(cluster.features);
  return el(
    "article",
    { class: "card", id: `group-${cluster.id}`, "aria-labelledby": `group-${cluster.id}-name` },
    el(
      "header",
      { class: "card-head" },
      badge(cluster.id),
      el("h3", { id: `group-${cluster.id}-name` }, nameOf(cluster.id)),
      page.map && mapButton(cluster.id),
    ),
    el(
      "p",
      { class: "card-size" },
      el("b", {}, rows(cluster.rows)),
      el("span", { class: "soft" }, ` · ${percent(cluster.share)} of all`),
      bar(cluster.share, color, `${percent(cluster.share)} of all rows`),
    ),
    // A sentence that only repeats the chart below it is left to the terminal.
    cluster.sentence && !(features.length && cluster.sentence.includes(features[0].text)) && el("p", { class: "card-sentence" }, sentence(cluster.sentence)),
    features.length > 0 && el(
      "div",
      { class: "features" },
      el("p", { class: "key" }, el("span", { class: "key-dot", style: { "background-color": color } }), "this group", el("span", { class: "key-ring" }), "all other rows"),
      el("ul", {}, features.slice(0, 5).map((feature) => featureRow(feature, color))),
    ),
    ruleOf(cluster),
    surenessOf(cluster),
    rowsOf("Typical rows", list(cluster.exemplars), cluster, true),
    rowsOf("Rows on the border", list(cluster.border), cluster, false),
  );
}

function mapButton(cluster) {
  const button = pickButton(cluster, "quiet", "Show on map");
  button.addEventListener("click", () => picked.value === cluster && scrollToMap());
  return button;
}

function ruleOf(cluster) {
  const rule = cluster.rule;
  if (!rule || !rule.text) return null;
  return el(
    "div",
    { class: "rule" },
    el("h4", {}, "Rule of thumb"),
    el("p", { class: "rule-text" }, rule.text),
    el("p", { class: "soft" }, `Catches ${percent(rule.coverage)} of the group. Of the rows it catches, ${percent(rule.precision)} are in the group.`),
  );
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
    el("dd", {}, el("b", {}, percent(value)), i === 0 && el("span", { class: "soft" }, ` ${gradeOf(value)}`), bar(value, color, percent(value))),
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
    scroller(title, el(
      "table",
      {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "row"), names.map((name) => heading(name, shown.every((row) => isNumber(sampleRows[row][name])))))),
      el("tbody", {}, shown.map((row) => el("tr", {}, el("th", { scope: "row" }, rowButton(row)), names.map((name) => cell(sampleRows[row][name], name))))),
    )),
  );
}

function heading(name, numeric) {
  return el("th", { scope: "col", class: numeric ? "number" : null }, name);
}

function cell(value, column) {
  return el("td", { class: isNumber(value) ? "number" : null }, isNumber(value) ? number(value, column) : known(value) ? clip(value, 120) : el("span", { class: "soft" }, "missing"));
}

// A row number that shows its point on the map.
function rowButton(row) {
  if (!page.map) return String(row);
  return el("button", { type: "button", class: "row-link", "aria-label": `Show row ${row} on the map`, on: { click: () => showRow(row) } }, String(row));
}

function scroller(label, table) {
  return el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label }, table);
}

function groupsSection() {
  if (!clusters.length) return null;
  const grid = el("div", { class: "cards" }, clusters.slice(0, FIRST_CARDS).map(groupCard));
  const rest = clusters.slice(FIRST_CARDS);
  const more = rest.length > 0 && el("button", { type: "button", class: "more", on: { click: (event) => {
    grid.append(...rest.map(groupCard));
    event.target.remove();
    for (const listener of picked.listeners) listener(picked.value);
  } } }, `Show the other ${count(rest.length)} groups`);
  return section("groups", clusters.length === 1 ? "The group" : "The groups, one by one", clusters.length > 1 && "Largest first. The dots show a typical value in the group and outside it, on the scale of the column.", grid, more);
}
