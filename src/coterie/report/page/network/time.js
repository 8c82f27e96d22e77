// How the classes change where links have times: sizes, what happened, who went where, window by window.

const MOST_LINES = 8;

const classCalled = ({ id, name }) => `${id} ${name}`;

function sizesOverTime(time) {
  const largest = [...time.classes].sort((a, b) => Math.max(...b.sizes) - Math.max(...a.sizes)).slice(0, MOST_LINES).sort((a, b) => a.id - b.id);
  const part = {
    title: "Sizes of the classes",
    x: time.windows.map((one) => one.label),
    x_label: `windows of ${time.column}`,
    y_label: "nodes seen",
    format: "integer",
    series: largest.map((one) => ({ name: classCalled(one), group: one.id, values: one.sizes })),
  };
  const more = time.n_classes > largest.length && el("p", { class: "soft" }, `The ${count(largest.length)} largest of ${count(time.n_classes)} classes; migration.csv holds all.`);
  return [el("h3", { class: "part-title" }, part.title), linesView(part, "time-sizes"), more];
}

function eventsOverTime({ events }) {
  return events.length > 0 && [el("h3", { class: "part-title" }, "What happened to the classes"), el("ul", { class: "events" }, events.map((one) => el("li", {}, sentence(one.text))))];
}

// From which class to which, of one pair of windows at a time.
function movesOverTime(time) {
  const most = time.moves.reduce((best, one, i) => (one.moved > time.moves[best].moved ? i : best), 0);
  const label = (i) => `${time.windows[i].label} → ${time.windows[i + 1].label}`;
  const select = el("select", { id: "time-pair", class: "search" }, time.moves.map((one, i) => el("option", { value: i, selected: i === most }, `${label(i)}: ${count(one.moved)} moved`)));
  const place = el("div", {});
  const show = () => place.replaceChildren(movesOf(time, Number(select.value)));
  select.addEventListener("change", show);
  show();
  return [
    el("h3", { class: "part-title" }, "Who went where"),
    el("p", { class: "soft" }, "Of the nodes of the class of the line, how many are in the class of the column in the next window. Nodes that are not seen in both are left out."),
    el("p", {}, el("label", { for: "time-pair" }, "Windows "), select),
    place,
  ];
}

function movesOf({ classes, moves, windows }, i) {
  const { nodes, moved, both } = moves[i];
  const rowsOfClasses = classes.map((one, a) => ({ one, sizes: nodes[a], sum: nodes[a].reduce((sum, value) => sum + value, 0) })).filter(({ sum }) => sum > 0);
  const columns = classes.map((one, b) => ({ one, b })).filter(({ b }) => nodes.some((row) => row[b] > 0));
  const part = {
    title: `${windows[i].label} to ${windows[i + 1].label}: ${count(moved)} of ${nodesWord(both)} moved`,
    rows: rowsOfClasses.map(({ one, sum }) => `${classCalled(one)}, ${nodesWord(sum)}`),
    columns: columns.map(({ one }) => classCalled(one)),
    row_label: windows[i].label,
    column_label: windows[i + 1].label,
    format: "percent",
    values: rowsOfClasses.map(({ sizes, sum }) => columns.map(({ b }) => sizes[b] / sum)),
  };
  return el("div", {}, el("p", { role: "status" }, sentence(part.title)), heatView(part, "time-moves"));
}

function windowsOverTime(time) {
  const columns = [
    { name: "window", label: "Window", format: "text" },
    { name: "links", label: "Links", format: "integer" },
    { name: "nodes", label: "Nodes seen", format: "integer" },
    { name: "moved", label: "Moved", format: "integer", help: "Nodes in another class than in the window before, among those seen in both; those whose class as a whole parted or joined another are not counted." },
    { name: "share", label: "Share moved", format: "percent" },
    { name: "before", label: "Like the window before", format: "number", help: "How far the classes of half the links agree with those of half the links of the window before (adjusted mutual information: 1 is the same, 0 is chance)." },
    { name: "halves", label: "Like its other half", format: "number", help: "The same between two halves of one window: what chance alone does. Where the figure before is clearly lower, the classes changed." },
  ];
  const lines = time.windows.map((one, i) => {
    const move = i > 0 ? time.moves[i - 1] : {};
    return [one.label, one.links, one.nodes, move.moved ?? null, move.share ?? null, ...[one.agrees_with_before, one.halves_agree].map((value) => (isNumber(value) ? Math.round(value * 100) / 100 : null))];
  });
  return [el("h3", { class: "part-title" }, "Window by window"), tableView({ title: "Window by window", columns, rows: lines }, "time-windows")];
}

function moversOverTime(time) {
  if (!time.movers.length) return null;
  const named = time.movers.some((one) => one.shown !== one.node);
  const columns = [
    { name: "node", label: "Node", format: "text" },
    ...(named ? [{ name: "name", label: "Name", format: "text" }] : []),
    { name: "window", label: "In", format: "text" },
    { name: "from", label: "From class", format: "group" },
    { name: "to", label: "To class", format: "group" },
    { name: "neighbours", label: "Neighbours then", format: "integer" },
    { name: "evidence", label: "Evidence", format: "number", help: "The natural logarithm of how much likelier the new class makes the node's links than the old one, from that window on." },
  ];
  const lines = time.movers.map((one) => [one.node, ...(named ? [one.shown] : []), time.windows[one.window].label, one.from, one.to, one.neighbours, one.evidence]);
  return [el("h3", { class: "part-title" }, "Who moved, the surest first"), tableView({ title: "Who moved", columns, rows: lines, total: time.n_movers, file: "movers.csv" }, "time-movers")];
}

function timeSection() {
  const { time } = record;
  if (!time) return null;
  const chance = `Links dealt to the windows at random would show ${percent(time.chance)} of nodes moving.`;
  const unplaced = time.unplaced > 0 ? ` ${count(time.unplaced)} links have no time and are in no window.` : "";
  return section("time", "Over time", `${count(time.windows.length)} windows, ${time.cut}. A node counts as moved only where its links speak for it clearly. ${chance}${unplaced}`, sizesOverTime(time), eventsOverTime(time), movesOverTime(time), windowsOverTime(time), moversOverTime(time));
}
