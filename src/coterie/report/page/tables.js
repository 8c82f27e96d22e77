// Tables that sort by any column: all groups side by side, and the rows that stand out.

// What a line is sorted by stands in `keys`, and is saved too, unless `saved` gives something else, under other `titles`. Where not
// all lines are to be seen, `part` picks those that are; it is asked again after "coterie:again".
function sortable(label, columns, lines, titles = columns.map((column) => column.title), part = (all) => all) {
  const body = el("tbody");
  const heads = columns.map(({ title, numeric }, i) => heading(el("button", { type: "button", on: { click: () => sort(i) } }, title, el("span", { class: "arrow", "aria-hidden": "true" })), numeric));
  let [by, direction] = [-1, 1];
  const compare = (a, b) => {
    if (!known(a) || !known(b)) return known(a) ? -1 : known(b) ? 1 : 0;
    const order = isNumber(a) && isNumber(b) ? a - b : text(a).localeCompare(text(b), "en", { numeric: true });
    return direction * order;
  };
  const show = () => body.replaceChildren(...part(lines).map((line) => line.node));
  const sort = (i) => {
    [by, direction] = by === i ? [i, -direction] : [i, columns[i].numeric && i > 0 ? -1 : 1];
    lines.sort((a, b) => compare(a.keys[i], b.keys[i]));
    heads.forEach((head, at) => head.setAttribute("aria-sort", at === by ? (direction > 0 ? "ascending" : "descending") : "none"));
    show();
  };
  show();
  const save = () => download(fileName(label.toLowerCase().replace(/[^a-z]+/g, "-"), "csv"), csvOf([titles, ...lines.map((line) => (line.saved ? line.saved() : line.keys))]), "text/csv");
  body.addEventListener("coterie:again", show);
  return el("div", {}, el("p", { class: "view-tools" }, saveButton("CSV", `Save as a table: ${label}`, save)), framed(label, heads, body, "sortable"));
}

function compareSection() {
  const columns = list(profile.columns);
  if (!columns.length || clusters.length < 2) return null;
  const heads = [
    { title: "Group" },
    { title: "Rows", numeric: true },
    ...columns.map((column) => ({ title: column.unit && !column.name.includes(column.unit) ? `${column.name} (${column.unit})` : column.name, numeric: !isWords(column) })),
  ];
  const lines = clusters.map((cluster, i) => {
    const cells = columns.map((column) => profileCell(column, list(column.by_cluster)[i]));
    return {
      keys: [cluster.id, cluster.rows, ...cells.map((one) => one.key)],
      saved: () => [cluster.id, nameOf(cluster.id), cluster.rows, ...cells.map((one) => one.value)],
      node: markPicked(cluster.id, el("tr", {}, rowHead(el("span", { class: "named" }, badge(cluster.id), nameNode(cluster.id))), figureCell(count(cluster.rows)), cells.map((one) => one.node))),
    };
  });
  const overall = el("tr", { class: "overall" }, rowHead("All rows"), figureCell(count(record.input.rows)), columns.map((column) => profileCell(column, column.overall, true).node));
  const table = sortable("Typical values by group and column", heads, lines, ["Group", "Name", ...heads.slice(1).map((head) => head.title)]);
  table.querySelector("table").append(el("tfoot", {}, overall));
  const lead = "Typical values: for numbers the middle one (half of the rows lie below it), for answers the most frequent, for texts a word said more often than elsewhere. Shaded cells differ most from all rows together: ▲ higher, ▼ lower. Click a heading to sort.";
  return section("compare", "The groups side by side", lead, table);
}

// Whether a column holds answers or texts, of which shares are told.
const isWords = (column) => column.kind === "category" || column.kind === "text";

function profileCell(column, value, plain) {
  if (isWords(column)) {
    const given = typical(value);
    const top = given.top ? list(given.top)[0] || {} : given;
    const { level } = top;
    if (!known(level)) return { key: null, node: el("td", { class: "soft" }, "–") };
    // Shaded where this answer is clearly more frequent than among all rows.
    const everywhere = typical(column.overall);
    const same = list(everywhere.top || [everywhere]).find((one) => one.level === level);
    const more = plain || !isNumber(top.share) ? 0 : Math.min(3, Math.round((top.share - ((same || {}).share || 0)) * 5));
    return { key: level, value: level, node: el("td", { class: more > 0 ? `up-${more}` : null }, clip(level, 60), isNumber(top.share) && soft(` ${percent(top.share)}`)) };
  }
  const median = typical(value).median;
  const key = toNumber(median);
  const shift = plain ? 0 : shiftOf(column, key);
  const level = Math.min(3, Math.round(Math.abs(shift) * 4));
  const sign = level === 0 ? "" : shift > 0 ? "▲" : "▼";
  return {
    key,
    value: median,
    node: el(
      "td",
      { class: `number${level ? ` ${shift > 0 ? "up" : "down"}-${level}` : ""}` },
      sign && el("span", { class: "sign" }, el("span", { "aria-hidden": "true" }, sign), el("span", { class: "unseen" }, shift > 0 ? "higher: " : "lower: ")),
      number(median, column.name),
    ),
  };
}

// How far from the middle of all rows, as a part of the column's scale.
function shiftOf(column, value) {
  const scale = scaleOf(column.name);
  const middle = toNumber(typical(column.overall).median);
  if (!scale || !isNumber(middle) || !isNumber(value)) return 0;
  return (value - middle) / (scale.high - scale.low) / 0.6;
}

// What is said of those that fit no group; `sized` says how many of what there are.
function noGroup(sized) {
  const { noise_rows: size, noise_share: share, noise_why: why } = population;
  return size > 0 && el("p", {}, `${sized(size)} (${percent(share)}) ${size === 1 ? "has" : "have"} no group. `, sentence(why));
}

function outliersSection() {
  const top = list(outliers.top);
  if (!top.length && !outliers.rows && !population.noise_rows) return null;
  const used = list(record.columns).filter((column) => column.used || column.role === "id").map((column) => column.name);
  const names = used.filter((name) => top.some(({ row }) => sampleRows[row] && name in sampleRows[row])).slice(0, 8);
  const heads = [
    { title: "Row", numeric: true },
    { title: "How unusual", numeric: true },
    { title: "Why" },
    ...names.map((name) => ({ title: name, numeric: top.every(({ row }) => isNumber((sampleRows[row] || {})[name])) })),
  ];
  const lines = top.map((outlier) => {
    const values = sampleRows[outlier.row] || {};
    return {
      keys: [outlier.row, outlier.score, outlier.why, ...names.map((name) => values[name])],
      node: el(
        "tr",
        {},
        el("th", { scope: "row", class: "number" }, rowButton(outlier.row)),
        figureCell(number(outlier.score)),
        whyCell(outlier.why),
        names.map((name) => cell(values[name], name)),
      ),
    };
  });
  return section("outliers", "Rows that stand out", sentence(outliers.sentence), noGroup(rows), lines.length > 0 && sortable("Rows that stand out, most unusual first", heads, lines));
}
