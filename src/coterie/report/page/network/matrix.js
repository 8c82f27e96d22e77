// How the classes relate: a table whose cells are shaded by how far the links differ from chance. One cell at a time takes the
// focus, and the arrow keys move it, so that the keyboard need not pass through all of them.

const CHANCE = {
  degrees: "Chance draws the links anew, and every node keeps its number of them.",
  sizes: "Chance draws the links anew, as if all nodes were alike.",
};

const SIGNS = { attracts: "▲", repels: "▼", neutral: "", feeds: "→" };

// From 0 (as chance) to 3, by the log2 of the ratio; without any link it is as far as it can be.
function shadeOf(relations, a, b) {
  if (relations.verdict[a][b] === "neutral") return "";
  const ratio = relations.log_ratio[a][b];
  const level = isNumber(ratio) ? Math.min(3, Math.max(1, Math.round(Math.abs(ratio)))) : 3;
  const up = relations.verdict[a][b] === "attracts" || (relations.verdict[a][b] === "feeds" && !(ratio < 0));
  return `${up ? "up" : "down"}-${level}`;
}

function relationWords(relations, a, b) {
  const [links, expected, verdict] = [relations.links[a][b], relations.expected[a][b], relations.verdict[a][b]];
  const where = a === b ? `Within ${nameWithNumber(a)}` : record.directed ? `From ${nameWithNumber(a)} to ${nameWithNumber(b)}` : `Between ${nameWithNumber(a)} and ${nameWithNumber(b)}`;
  const ratio = expected > 0 ? ` (${short.format(links / expected)} times)` : "";
  const verdictWords = verdict === "feeds" ? `${VERDICTS.feeds} (${amount(relations.links[b][a])})` : VERDICTS[verdict];
  const bySize = (relations.verdict_by_size || [])[a]?.[b];
  const other = known(bySize) && bySize !== verdict ? ` By the number of nodes alone, whatever their links: ${bySize}.` : "";
  return `${where}: ${amount(links)}; chance would give ${number(expected)}${ratio}. Verdict: ${verdict}, ${verdictWords}.${other}`;
}

function shortCount(value) {
  return value >= 10000 ? new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value) : number(Math.round(value * 100) / 100);
}

function matrixCell(relations, a, b, cells, tell) {
  const verdict = relations.verdict[a][b];
  const words = () => relationWords(relations, a, b);
  const unseen = el("span", { class: "unseen" });
  const cell = el(
    "td",
    { class: `number relation ${shadeOf(relations, a, b)}${a === b ? " own" : ""}`, tabindex: a === 0 && b === 0 ? "0" : "-1" },
    SIGNS[verdict] && el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[verdict]),
    el("span", { "aria-hidden": "true", class: relations.links[a][b] > 0 ? null : "none" }, shortCount(relations.links[a][b])),
    unseen,
  );
  withNames(() => { unseen.textContent = cell.title = words(); });
  for (const event of ["pointerenter", "focus"]) cell.addEventListener(event, () => tell(words()));
  cell.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const next = step && (cells[a + step[0]] || [])[b + step[1]];
    if (!next) return;
    event.preventDefault();
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  onPick((value) => cell.classList.toggle("faded", value !== null && value !== a && value !== b));
  return cell;
}

function matrixSection() {
  const { relations } = record;
  if (!relations || relations.classes < 1 || clusters.length < 2) return null;
  const ids = [...Array(relations.classes).keys()];
  const rest = "Point at a cell, or move through the table with the arrow keys, for its numbers in words.";
  const said = el("p", { class: "said", role: "status" }, rest);
  const tell = (words) => { said.textContent = words || rest; };
  const cells = [];
  for (const a of ids) cells.push([]);
  for (const a of ids) for (const b of ids) cells[a].push(matrixCell(relations, a, b, cells, tell));
  const table = el(
    "table",
    { class: `matrix${ids.length > 10 ? " dense" : ""}` },
    el("caption", { class: "unseen" }, `Links between classes: ${record.directed ? "from the class of the line to the class of the column" : "the same both ways"}`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, record.directed ? "from ↓ to →" : "Class"), ids.map((id) => el("th", { scope: "col", class: "number" }, badge(id))))),
    el("tbody", {}, ids.map((a) => el("tr", {}, rowHead(el("span", { class: "named" }, badge(a), el("span", { class: "row-name" }, nameNode(a, ids.length > 10 ? 24 : 34, shortName)))), cells[a]))),
  );
  const shades = relations.beyond_chance ? `; shaded cells differ clearly from what chance would give: ▲ more, ▼ fewer${record.directed ? ", → more than back" : ""}` : "";
  const lead = `${sentence(relations.sentence)} Numbers are ${record.input.weighted ? "sums of weights" : "links"}${shades}. ${CHANCE[relations.null] || ""}`.trim();
  const more = relations.left_out > 0 && el("p", { class: "soft" }, `The table shows the ${count(relations.classes)} largest of ${count(record.n_classes)} classes; relations.csv holds more.`);
  return section("relations", "How the classes relate", lead, said, scroller("How the classes relate, as a table", table), more);
}
