// The class graph: a circle for each class, lines for the links between them. Places come from the record.

// Of very many circles only the largest carry a name; all have their number, and say their name when pointed at.
const MOST_NAMED = 16;

const linksWord = () => (record.input.weighted ? "weight" : "links");

function amount(value) {
  return `${number(value)} ${record.input.weighted ? "of weight" : value === 1 ? "link" : "links"}`;
}

const VERDICTS = { attracts: "more links than chance would give", repels: "fewer links than chance would give", neutral: (record.relations || {}).beyond_chance ? "no clear difference from chance" : "not to be told from chance", feeds: "clearly more links than back" };

function timesChance(ratio) {
  return isNumber(ratio) ? `${ratio < 0.1 ? ratio.toFixed(2) : short.format(ratio)} times what chance would give` : "";
}

function linkWords(link) {
  const [a, b] = [nameWithNumber(link.from), nameWithNumber(link.to)];
  return `${record.directed ? `From ${a} to ${b}` : `Between ${a} and ${b}`}: ${amount(link.weight)}, ${timesChance(link.ratio)}`;
}

const shortName = (id) => names.given[id] || clusters[id].short || nameOf(id);
const nameWithNumber = (id) => `class ${id} (${nameOf(id)})`;

// Straight where links have no direction; bent to one side where they have, so that both ways are seen.
function linkPath(link, places) {
  const [a, b] = [places[link.from], places[link.to]];
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const [dx, dy] = [(b.x - a.x) / length, (b.y - a.y) / length];
  const width = 1.5 + 12 * Math.sqrt(link.share);
  if (!record.directed) return { d: `M${a.x} ${a.y}L${b.x} ${b.y}`, width };
  const bend = 0.12 * length;
  const middle = [(a.x + b.x) / 2 - dy * bend, (a.y + b.y) / 2 + dx * bend];
  const edge = (from, radius) => {
    const far = Math.hypot(middle[0] - from.x, middle[1] - from.y) || 1;
    return [from.x + ((middle[0] - from.x) / far) * radius, from.y + ((middle[1] - from.y) / far) * radius];
  };
  const head = 10 + width;
  const [start, end, tip] = [edge(a, a.r), edge(b, b.r + head), edge(b, b.r + 1)];
  const [nx, ny] = [-(tip[1] - end[1]) / head, (tip[0] - end[0]) / head];
  const half = 0.6 * width + 4.5;
  return {
    d: `M${start}Q${middle} ${end}`,
    width,
    arrow: `M${tip}L${[end[0] + nx * half, end[1] + ny * half]}L${[end[0] - nx * half, end[1] - ny * half]}Z`,
  };
}

function drawnLink(link, places, tell) {
  const { d, width, arrow } = linkPath(link, places);
  const group = svg(
    "g",
    { class: `tie tie-${link.verdict}` },
    svg("path", { d, class: "tie-line", "stroke-width": width.toFixed(1) }),
    arrow && svg("path", { d: arrow, class: "tie-head" }),
  );
  group.addEventListener("pointerenter", () => tell(linkWords(link)));
  group.addEventListener("pointerleave", () => tell(null));
  onPick((value) => group.classList.toggle("faded", value !== null && value !== link.from && value !== link.to));
  return group;
}

// The ring around a circle is filled by the share of the class's links that stay inside.
function ring(place, share, color) {
  const radius = place.r + 4;
  const around = 2 * Math.PI * radius;
  return [
    svg("circle", { cx: place.x, cy: place.y, r: radius, class: "halo" }),
    isNumber(share) && svg("circle", { cx: place.x, cy: place.y, r: radius, class: "halo-fill", stroke: color, "stroke-dasharray": `${(share * around).toFixed(1)} ${around.toFixed(1)}`, transform: `rotate(-90 ${place.x} ${place.y})` }),
  ];
}

function drawnClass(place, tell) {
  const one = clusters[place.id];
  const color = colorOf(place.id);
  const label = svg("text", { x: place.x, y: place.y, class: "circle-number", fill: inkOn(color), "font-size": Math.max(11, Math.min(26, place.r * 0.75)).toFixed(0) });
  label.textContent = String(place.id);
  const words = () => `${sentence(nameWithNumber(place.id)).slice(0, -1)}: ${nodesWord(one.nodes)}, ${percent(one.share)} of all; ${percent(one.inside_share)} of its members' links stay inside`;
  const group = svg("g", { class: "circle", role: "button", tabindex: "0", "aria-pressed": "false" }, ring(place, one.inside_share, color), svg("circle", { cx: place.x, cy: place.y, r: place.r, fill: color }), label);
  withNames(() => group.setAttribute("aria-label", words()));
  group.addEventListener("click", () => pick(place.id));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    pick(place.id);
  });
  for (const event of ["pointerenter", "focus"]) group.addEventListener(event, () => tell(words()));
  for (const event of ["pointerleave", "blur"]) group.addEventListener(event, () => tell(null));
  onPick((value) => {
    group.setAttribute("aria-pressed", String(value === place.id));
    group.classList.toggle("faded", value !== null && value !== place.id && !isTied(value, place.id));
  });
  return group;
}

// Names lie above all circles, so that none is hidden.
function drawnName(place) {
  const name = svg("text", { y: place.y + place.r + 19, class: "circle-name", "aria-hidden": "true" });
  withNames(() => {
    name.textContent = clip(shortName(place.id), record.drawing.nodes.length > 10 ? 20 : 28);
    const half = 4.2 * name.textContent.length + 6; // about half of its width; names at the edge move inwards
    name.setAttribute("x", Math.min(record.drawing.width - half, Math.max(half, place.x)));
  });
  onPick((value) => {
    name.classList.toggle("picked", value === place.id);
    name.classList.toggle("faded", value !== null && value !== place.id && !isTied(value, place.id));
  });
  return name;
}

const isTied = (a, b) => record.drawing.links.some((link) => (link.from === a && link.to === b) || (link.from === b && link.to === a));

function nodesWord(value) {
  return `${count(value)} ${value === 1 ? "node" : "nodes"}`;
}

function drawingCaption() {
  const { drawing } = record;
  const parts = [
    "A circle's area follows its number of nodes; the ring around it is filled by the share of its links that stay inside.",
    drawing.links.length > 0 && `A line is as wide as ${record.input.weighted ? "the weight" : "the number of links"} it stands for.`,
    drawing.classes_left_out > 0 && `The ${count(drawing.classes_left_out)} smaller classes are not drawn.`,
    drawing.left_out > 0 && `Of the lines, the widest are drawn; ${count(drawing.left_out)} thinner ones are in the table of relations.`,
  ];
  return parts.filter(Boolean).join(" ");
}

function verdictKey() {
  const shown = ["attracts", "feeds", "repels", "neutral"].filter((verdict) => record.drawing.links.some((link) => link.verdict === verdict));
  return shown.length > 0 && el("ul", { class: "tie-key" }, shown.map((verdict) => el("li", {}, el("span", { class: `tie-swatch tie-swatch-${verdict}`, "aria-hidden": "true" }), sentence(VERDICTS[verdict]).slice(0, -1))));
}

function drawingSection() {
  const { drawing } = record;
  if (!drawing || !drawing.nodes.length) return null;
  const said = el("p", { class: "said", role: "status" });
  const rest = "Point at a circle or a line for its numbers; click a circle to pick its class out.";
  const tell = (words) => { said.textContent = words || rest; };
  tell(null);
  const picture = svg("svg", { viewBox: `0 0 ${drawing.width} ${drawing.height}`, class: "class-graph", role: "group", "aria-label": "The classes and the links between them" });
  const thinFirst = [...drawing.links].sort((a, b) => a.share - b.share);
  picture.append(...thinFirst.map((link) => drawnLink(link, drawing.nodes, tell)), ...drawing.nodes.map((place) => drawnClass(place, tell)), ...drawing.nodes.slice(0, MOST_NAMED).map(drawnName));
  picture.addEventListener("keydown", (event) => event.key === "Escape" && picked.value !== null && pick(picked.value));
  return section(
    "drawing",
    "The classes and the links between them",
    record.directed ? "Each circle is a class; an arrow leads the way the links lead." : "Each circle is a class of nodes.",
    el("div", { class: "map" }, el("figure", {}, el("div", { class: "stage" }, picture, said), el("figcaption", {}, drawingCaption()), verdictKey()), legend(partsOfNetwork().slice(0, drawing.nodes.length))),
  );
}
