// The map as a section of a page of rows or of pictures, and what such a page says of its groups.

// The groups and, last, what fits none: of each its number, its share and its size.
function partsOfMap() {
  const { noise_rows: size, noise_share: share } = population;
  return [...clusters.map((one) => [one.id, one.share, count(one.rows)]), ...(size > 0 ? [[NOISE, share, count(size)]] : [])];
}

// What speaks against the groups, if anything does: none `among` these data, `all` of which was cut, or one of all `things`.
function doubts(among, all, things) {
  const found = {
    none: [`No clear groups ${among}`, clusters.length > 1 ? `The groups below only cut the ${all} into parts; don't read more into them.` : `So the ${things} were left together.`],
    weak: ["The groups are weak", "Take the borders between groups with care."],
    one: [`The ${things} form one group`, "There is nothing to tell apart."],
  }[record.structure.verdict];
  return found && !record.title && banner(...found);
}

// The tools of a canvas; they wait until the map is drawn.
function mapTools() {
  const tools = [["+", "Zoom in", (map) => map.zoomBy(1.6)], ["−", "Zoom out", (map) => map.zoomBy(1 / 1.6)], ["⟲", "Back to the whole picture", (map) => map.reset()]];
  const make = ([shown, said, act]) => el("button", { type: "button", title: said, "aria-label": said, on: { click: (event) => page.drawn && act(page.drawn, event.currentTarget) } }, shown);
  const outlines = [["loop", "Select rows with a loop"], ["box", "Select rows with a box"]].map(([tool, said]) => {
    const button = make([toolSign(tool), said, (map) => {
      map.use(map.tool === tool ? "move" : tool);
      outlines.forEach((one, i) => one.setAttribute("aria-pressed", String(["loop", "box"][i] === map.tool)));
    }]);
    button.setAttribute("aria-pressed", "false");
    return button;
  });
  return el("div", { class: "tools" }, tools.map(make), outlines);
}

function toolSign(tool) {
  const shape = tool === "box" ? svg("rect", { x: 3, y: 4, width: 12, height: 10 }) : svg("path", { d: "M9 3C4 3 2 6 3 9S8 14 12 12S16 3 9 3ZM6 13Q5 16 8 16" });
  return svg("svg", { width: 18, height: 18, viewBox: "0 0 18 18", class: "tool-sign", "aria-hidden": "true" }, shape);
}

// Where the dots go, the note that stands there until they do, and what lies over them.
function mapStage(things, look, axes) {
  const canvas = el("canvas", { tabindex: "0", role: "application", "aria-label": `Map of the ${things}, coloured by group`, "aria-describedby": "map-keys" });
  const [tip, ring] = ["tip", "ring"].map((name) => el("div", { class: name, hidden: true, "aria-hidden": "true" }));
  const outline = svg("path", { class: "outline" });
  const note = el("p", { class: "map-wait" }, "Drawing …");
  page.start = async () => {
    try {
      page.drawn = new PointMap(await unpackPoints(), canvas, { tip, ring, look, outline });
      note.remove();
    } catch (problem) {
      note.textContent = "This browser is too old to draw the map; any browser since 2023 can. Everything else on the page is complete.";
      throw problem;
    } finally {
      ready();
    }
  };
  return el("div", { class: "stage" }, canvas, svg("svg", { class: "over", "aria-hidden": "true" }, outline), note, axes, mapTools(), ring, tip);
}

// For pages that have a map. `look` gives what stands beside a point when it is pointed at.
function mapSection({ things, lead, look, axes, caption }) {
  const keys = el("span", { id: "map-keys", class: "unseen" }, " Keys: arrows move, plus and minus zoom, 0 shows all, b begins a box that arrows move and Shift with arrows resizes, Enter selects what is in it, Escape clears the selection and then the picked group.");
  return section("map", "The map", lead, searchBox(things), el("div", { class: "map" }, el("figure", {}, mapStage(things, look, axes), el("figcaption", {}, el("span", {}, caption, keys), mapSaves())), legend(partsOfMap())), selectionPanel(things));
}

function showRow(row) {
  if (page.drawn && page.drawn.mark(row)) scrollToMap();
}

function scrollToMap() {
  document.getElementById("map").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
