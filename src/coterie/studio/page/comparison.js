// Two runs side by side, as `coterie compare` tells it.

const score = (value) => (isNumber(value) ? value.toFixed(2) : "–");
const numberHead = (words, title) => el("th", { scope: "col", class: "number", title }, words);

function overview(found) {
  const line = (one) => el(
    "tr",
    {},
    rowHead(one.name),
    el("td", {}, one.method || "–"),
    figureCell(count(one.groups.length)),
    figureCell(one.none_rows ? percent(one.none_share) : "0"),
    figureCell(score(one.silhouette)),
    figureCell(score(one.dbcv)),
    figureCell(score(one.stability)),
  );
  const heads = [
    el("th", { scope: "col" }, "Run"),
    el("th", { scope: "col" }, "Method"),
    numberHead("Groups"),
    numberHead("In no group"),
    numberHead("Silhouette", "How much nearer rows are to their own group than to the next, up to 1"),
    numberHead("DBCV", "How much denser groups are than what lies between them, up to 1"),
    numberHead("Stability", "Agreement when the work is repeated on parts of the rows, up to 1"),
  ];
  return el("div", { class: "scroller" }, el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, found.groupings.map(line))));
}

const groupWords = (label, names) => (label < 0 ? "no group" : `${label} ${names.get(label) || ""}`.trim());

function migration(pair, names) {
  const { a, b, counts } = pair.table;
  const same = new Set(pair.matched.map((one) => `${one.a} ${one.b}`));
  const cell = (rowsHere, i, j) => {
    const isSame = same.has(`${i} ${j}`);
    return el("td", { class: isSame ? "number same" : "number" }, rowsHere ? count(rowsHere) : "·", isSame && el("span", { class: "unseen" }, " the same group in both"));
  };
  const head = el("tr", {}, el("td", {}, soft(`${pair.a} down, ${pair.b} across`)), b.map((j) => numberHead(clip(groupWords(j, names.b), 60))));
  const body = a.map((i, p) => el("tr", {}, rowHead(clip(groupWords(i, names.a), 80)), b.map((j, q) => cell(counts[p][q], i, j))));
  return el("div", { class: "scroller" }, el("table", { class: "migration" }, el("thead", {}, head), el("tbody", {}, body)));
}

function moveWords(move, names) {
  const some = list(move.examples).length > 0 ? ` (${move.rows === 1 ? "row" : "rows such as"} ${move.examples.join(", ")})` : "";
  return `${rows(move.rows)} from ${groupWords(move.a, names.a)} to ${groupWords(move.b, names.b)}${some}`;
}

function comparisonView(found, back) {
  const called = new Map(found.groupings.map((one) => [one.name, new Map(one.groups.map((group) => [group.id, group.name]))]));
  const pairs = found.pairs.map((pair) => {
    const names = { a: called.get(pair.a), b: called.get(pair.b) };
    return [
      el("h2", {}, "Which group became which"),
      el("p", { class: "lead" }, pair.sentence),
      migration(pair, names),
      el("p", { class: "hint" }, "Framed: the same group in both. Each cell counts the rows that are in both groups."),
      pair.moves.length > 0 && [el("h2", {}, "Rows that moved"), el("ul", { class: "moves" }, pair.moves.map((move) => el("li", {}, sentence(moveWords(move, names)))))],
    ];
  });
  return el(
    "article",
    { class: "comparison" },
    el("button", { type: "button", class: "quiet", on: { click: back } }, "← Back to the report"),
    el("h1", { tabindex: "-1" }, found.groupings.map((one) => one.name).join(" and ")),
    el("p", { class: "answer" }, found.verdict),
    overview(found),
    pairs,
  );
}

const comparisonKey = (comparison) => (comparison ? `${comparison.id} ${comparison.state}` : "");

// Where the comparison stands once somebody has asked for one. `say` gets what went wrong, and `changed` is called whenever the
// place is opened or closed.
function comparisonPlace(say, changed) {
  const node = el("div", { class: "side-by-side", hidden: true });
  let shows = "";

  function fill(...content) {
    node.replaceChildren(...content);
    node.hidden = content.length === 0;
    changed();
  }

  async function show(comparison) {
    if (comparisonKey(comparison) === shows) return;
    shows = comparisonKey(comparison);
    const { id, state, sentence: why } = comparison || {};
    if (state === "done") {
      fill(comparisonView(await ask(`/api/comparisons/${id}`), () => fill()));
      node.querySelector("h1").focus();
    } else if (["waiting", "running"].includes(state)) {
      fill(el("p", { class: "empty", role: "status" }, "Comparing the two runs…"));
    } else {
      fill();
      if (why) say(why);
    }
  }

  return {
    node,
    show,
    close: () => fill(),
    isOpen: () => !node.hidden,
    // What was compared before the page was loaded is shown when somebody asks for it again.
    skip(comparison) { shows = comparisonKey(comparison); },
  };
}
