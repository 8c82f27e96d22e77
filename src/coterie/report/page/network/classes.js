// One card a class, and all of them side by side.

const FIRST_LINES = 20;
const MOST_CARDS = 200;

function classCard(one) {
  const color = colorOf(one.id);
  return card(
    one,
    nodesWord(one.nodes),
    "nodes",
    pickButton(one.id, "quiet", "Pick out"),
    el("dl", { class: "sureness" }, [["Its members' links that stay inside", one.inside_share], ["Found again without a tenth of the links", one.stability], ["Conductance", one.conductance]].filter(([, value]) => isNumber(value)).map(([words, value]) => el("div", {}, el("dt", {}, words), el("dd", {}, el("b", {}, words === "Conductance" ? value.toFixed(2) : percent(value)), bar(value, color, percent(value)))))),
    traits(one, color),
    list(one.hubs).length > 0 && el("p", { class: "hubs" }, soft("Most linked: "), one.hubs.map((hub) => clip(hub, 40)).join(", ")),
    tiesOf(one.id),
  );
}

function traits(one, color) {
  const features = list(one.features);
  if (!features.length) return record.attributes.some((line) => line.described) && el("p", { class: "soft" }, "No attribute sets this class apart.");
  return el(
    "div",
    { class: "features" },
    el("h4", {}, "What its members share"),
    el("ul", {}, features.slice(0, 6).map((feature) => el(
      "li",
      { class: "feature" },
      el("span", {}, clip(ofShares(feature) ? `${feature.column}: ${feature.value}` : feature.column, 80)),
      ofShares(feature)
        ? shareChart(feature, color)
        : soft(feature.effect > 0 ? (feature.kind === "date" ? "later" : "higher") : feature.kind === "date" ? "earlier" : "lower"),
      el("span", { class: "feature-values" }, ofShares(feature) ? [el("b", {}, percent(feature.here)), soft(` · ${short.format(feature.lift)} times as often`)] : [el("b", {}, middleText(feature.here, feature)), soft(` · others ${middleText(feature.elsewhere, feature)}`)]),
    ))),
  );
}

// A value that members have, or a word that they say, against numbers and dates.
function ofShares(feature) {
  return feature.kind === "category" || feature.kind === "text";
}

function middleText(value, feature) {
  return isNumber(value) ? `${number(value, feature.column)}${feature.unit ? ` ${feature.unit}` : ""}` : known(value) ? text(value) : "–";
}

// The share here as a bar, the share among all nodes as a mark on it.
function shareChart(feature, color) {
  const words = `${percent(feature.here)} here, ${percent(feature.overall)} of all nodes`;
  return el("span", { class: "share-chart", role: "img", "aria-label": words, title: words }, el("span", { class: "bar" }, el("span", { class: "bar-fill", style: { width: across(feature.here), "background-color": color } })), el("span", { class: "share-mark", style: { left: across(feature.overall) } }));
}

// The strongest ties of a class in words.
function tiesOf(id) {
  const { relations } = record;
  if (!relations || id >= relations.classes || relations.classes < 2) return null;
  const others = [...Array(relations.classes).keys()].filter((other) => other !== id);
  const most = others.filter((other) => relations.links[id][other] > 0).sort((a, b) => relations.links[id][b] - relations.links[id][a]);
  const lines = most.length ? [[record.directed ? "Leads most to" : "Linked most to", most.slice(0, 4)]] : [];
  for (const verdict of ["attracts", "feeds", "repels"]) {
    const to = others.filter((other) => relations.verdict[id][other] === verdict);
    const distance = (other) => (isNumber(relations.log_ratio[id][other]) ? Math.abs(relations.log_ratio[id][other]) : 99);
    to.sort((a, b) => distance(b) - distance(a));
    if (to.length) lines.push([{ attracts: "Attracts", feeds: "Feeds", repels: "Repels" }[verdict], to]);
  }
  if (record.directed) {
    const from = others.filter((other) => relations.verdict[other][id] === "feeds");
    if (from.length) lines.push(["Fed by", from]);
  }
  if (!lines.length) return null;
  return el("dl", { class: "ties" }, lines.map(([words, ids]) => el("div", {}, el("dt", {}, words), el("dd", {}, ids.slice(0, 6).map((other) => badge(other)), ids.length > 6 && soft(` and ${count(ids.length - 6)} more`)))));
}

function classesSection() {
  return cardsSection(clusters.slice(0, MOST_CARDS), classCard, "Largest first.");
}

// A table that sorts, cut after its first lines until the rest is asked for.
function shortened(label, heads, lines, first) {
  if (lines.length <= first) return sortable(label, heads, lines);
  const table = sortable(label, heads, lines.slice(0, first));
  const more = el("button", { type: "button", class: "more", on: { click: () => {
    table.replaceWith(sortable(label, heads, lines));
    more.remove();
  } } }, `Show the other ${count(lines.length - first)}`);
  return [table, more];
}

function sideBySideSection() {
  if (clusters.length < 2) return null;
  const heads = [{ title: "Class" }, { title: "Nodes", numeric: true }, { title: "Share", numeric: true }, { title: `${linksWord() === "links" ? "Links" : "Weight"} inside`, numeric: true }, { title: "Leaving", numeric: true }, { title: "Stay inside", numeric: true }, { title: "Conductance", numeric: true }, { title: "What its members share" }];
  const lines = clusters.map((one) => ({
    keys: [one.id, one.nodes, one.share, one.weight_inside, one.weight_leaving, one.inside_share, one.conductance, (list(one.features)[0] || {}).text],
    node: el(
      "tr",
      {},
      rowHead(el("span", { class: "named" }, badge(one.id), clip(one.name, 60))),
      figureCell(count(one.nodes)),
      figureCell(percent(one.share)),
      figureCell(number(one.weight_inside)),
      figureCell(number(one.weight_leaving)),
      figureCell(isNumber(one.inside_share) ? percent(one.inside_share) : "–"),
      figureCell(one.conductance.toFixed(3)),
      el("td", { class: "why" }, list(one.features).slice(0, 2).map((feature) => clip(feature.text, 90)).join("; ") || soft("–")),
    ),
  }));
  const more = record.n_classes > clusters.length && el("p", { class: "soft" }, `The ${count(clusters.length)} largest of ${count(record.n_classes)} classes.`);
  return section("compare", "The classes side by side", "Click a heading to sort.", shortened("The classes side by side, as a table", heads, lines, FIRST_LINES), more);
}
