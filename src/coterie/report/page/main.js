// The page of a table, from top to bottom.

function keyFigures() {
  return figures(
    [count(clusters.length), `${record.structure.verdict === "none" && !record.title ? "part" : "group"}${clusters.length === 1 ? "" : "s"}`],
    isNumber(population.noise_rows) && [count(population.noise_rows), population.noise_rows === 1 ? "row fits no group" : "rows fit no group"],
    isNumber(judge.sure_share) && [percent(judge.sure_share), "of rows clearly belong to their group"],
    isNumber(judge.stability) && [percent(judge.stability), "agreement when the work is repeated"],
  );
}

function mapOfRows() {
  if (!page.map) return null;
  const { map } = record;
  const [x, y] = list(map.axes);
  const parts = [];
  if (map.n_shown < map.n_total) parts.push(`${rows(map.n_shown)} of ${count(map.n_total)} are drawn, small groups more densely than large ones.`);
  const kept = list(map.explained).filter(isNumber).reduce((sum, part) => sum + part, 0);
  if (isFlattened()) {
    parts.push(`The picture flattens all used columns into two directions${kept > 0 && kept < 0.995 ? ` and keeps ${percent(kept)} of the differences between rows` : ""}.`);
  }
  parts.push(map.n_shown > DOTS ? "The stronger the colour, the more rows lie there; zoom in for single ones." : "Point at a dot to see its row.");
  const axis = (name, words) => el("span", { class: `axis axis-${name}`, "aria-hidden": "true" }, words);
  return mapSection({
    things: "rows",
    lead: "Every dot is a row; rows that are alike lie close together.",
    look: valuesOf,
    axes: [axis("y", known(y) && ["↑ ", el("bdi", {}, y)]), axis("x", known(x) && [el("bdi", {}, x), " →"])],
    caption: [known(x) && `Further right: ${x}. `, known(y) && `Further up: ${y}. `, parts.join(" ")],
  });
}

const head = masthead(
  [record.input.name, rows(record.input.rows), columnsInWords(record.input.columns)],
  foundWords(clusters.length, "No clear groups"),
  doubts("in these data", "data", "rows"),
  keyFigures(),
  composition(partsOfMap()),
);

show(head, [mapOfRows(), groupsSection(), compareSection(), viewsSection(), outliersSection(), methodSection(), glossarySection()], list(record.next));
