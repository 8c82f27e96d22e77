// Nodes: those that join classes, and a search over the members.

const MOST_HITS = 50;
const FIRST_HITS = 10;
const FIRST_BRIDGES = 15;

function bridgesSection() {
  const found = list(record.bridges);
  if (!found.length) return null;
  const heads = [{ title: "Node" }, { title: "Class" }, { title: "Links", numeric: true }, { title: "Outside its class", numeric: true }, { title: "Spread over classes", numeric: true }, { title: "Where its links go" }];
  const lines = found.map((one) => ({
    keys: [one.shown, one.class, one.links, one.outside_share, one.participation, one.n_classes],
    node: el(
      "tr",
      {},
      rowHead(clip(one.shown, 60), one.shown !== one.node && soft(` ${clip(one.node, 30)}`)),
      el("td", {}, badge(one.class)),
      figureCell(count(one.links)),
      figureCell(percent(one.outside_share)),
      figureCell(one.participation.toFixed(2)),
      el("td", {}, el("span", { class: "flow" }, one.classes.map((part) => el("span", { class: "flow-part" }, badge(part.class), ` ${percent(part.share)}`)), one.n_classes > one.classes.length && soft(`and ${count(one.n_classes - one.classes.length)} more`))),
    ),
  }));
  const lead = "Nodes whose links leave their class, ordered by how many do and how evenly they spread over the others.";
  return section("bridges", "Who joins the classes", lead, shortened("Nodes that join classes", heads, lines, FIRST_BRIDGES));
}

function memberLine(i) {
  const { members } = record;
  const shown = members.shown && members.shown[i];
  const other = members.next_class[i];
  return el(
    "tr",
    {},
    rowHead(clip(shown || members.node[i], 60), known(shown) && soft(` ${clip(members.node[i], 30)}`)),
    el("td", {}, el("span", { class: "named" }, badge(members.class[i]), members.class[i] < 0 ? "no class" : el("bdi", {}, clip(nameOf(members.class[i]), 40)))),
    figureCell(count(members.links[i])),
    figureCell(isNumber(members.strength[i]) ? percent(members.strength[i]) : "–"),
    figureCell(isNumber(members.participation[i]) ? members.participation[i].toFixed(2) : "–"),
    el("td", {}, other < 0 ? soft("none") : badge(other)),
  );
}

function membersSection() {
  const { members } = record;
  if (!members || !members.node.length) return null;
  const body = el("tbody");
  const said = el("p", { class: "soft", role: "status" });
  const field = el("input", { type: "search", id: "member-search", class: "search", autocomplete: "off", spellcheck: "false", "aria-describedby": "member-search-help" });
  const lower = members.node.map((node, i) => `${node}\n${members.shown ? members.shown[i] : ""}`.toLowerCase());
  const search = () => {
    const wanted = field.value.trim().toLowerCase();
    const hits = [];
    const most = wanted || picked.value !== null ? MOST_HITS : FIRST_HITS;
    let total = 0;
    // An exact id first: "1" should find node 1 before 10 and 11.
    const first = wanted ? members.node.findIndex((node) => node.toLowerCase() === wanted) : -1;
    if (first >= 0) hits.push(first);
    for (let i = 0; i < lower.length; i += 1) {
      if ((wanted && !lower[i].includes(wanted)) || (picked.value !== null && members.class[i] !== picked.value)) continue;
      total += 1;
      if (hits.length < most && i !== first) hits.push(i);
    }
    if (first >= 0 && picked.value !== null && members.class[first] !== picked.value) hits.shift();
    body.replaceChildren(...hits.map(memberLine));
    const of = picked.value === null ? "" : ` of class ${picked.value}`;
    said.textContent = total === 0 ? `No node${of} is called like that.` : `${nodesWord(total)}${of}${total > hits.length ? `; the first ${hits.length} are shown` : ""}.`;
  };
  field.addEventListener("input", search);
  onPick(search);
  search();
  const heads = ["Node", "Class", "Links", "Strength", "Spread over classes", "Next class"].map((head, i) => heading(head, i > 1 && i < 5));
  const part = members.node.length < members.total && el("p", { class: "soft" }, `The page carries the ${count(members.node.length)} nodes with most links, of ${count(members.total)}; members.csv holds all.`);
  return section("members", "Find a node", "Its class, how firmly it belongs (the share of its links that stay inside), and the other class it links to most.", el("p", {}, el("label", { for: "member-search" }, "Name or part of it "), field, el("span", { id: "member-search-help", class: "unseen" }, "The table below changes as you type.")), said, framed("Members", heads, body), part);
}
