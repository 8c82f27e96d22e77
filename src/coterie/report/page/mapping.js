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
  return el("div", { class: "tools" }, tools.map(([sign, words, act]) => el("button", { type: "button", title: words, "aria-label": words, on: { click: () => page.drawn && act(page.drawn) } }, sign)));
}

// Where the dots go, the note that stands there until they do, and what lies over them.
function mapStage(things, look, axes) {
  const canvas = el("canvas", { tabindex: "0", role: "application", "aria-label": `Map of the ${things}, coloured by group`, "aria-describedby": "map-keys" });
  const [tip, ring] = ["tip", "ring"].map((name) => el("div", { class: name, hidden: true, "aria-hidden": "true" }));
  const note = el("p", { class: "map-wait" }, "Drawing …");
  page.start = async () => {
    try {
      page.drawn = new PointMap(await unpackPoints(), canvas, { tip, ring, look });
      note.remove();
    } catch (problem) {
      note.textContent = "This browser is too old to draw the map; any browser since 2023 can. Everything else on the page is complete.";
      throw problem;
    } finally {
      ready();
    }
  };
  return el("div", { class: "stage" }, canvas, note, axes, mapTools(), ring, tip);
}

// For pages that have a map. `look` gives what stands beside a point when it is pointed at.
function mapSection({ things, lead, look, axes, caption }) {
  const keys = el("span", { id: "map-keys", class: "unseen" }, " Keys: arrows move, plus and minus zoom, 0 shows all, Escape clears the picked group.");
  return section("map", "The map", lead, el("div", { class: "map" }, el("figure", {}, mapStage(things, look, axes), el("figcaption", {}, caption, keys)), legend(partsOfMap())));
}

function showRow(row) {
  if (page.drawn && page.drawn.mark(row)) scrollToMap();
}

function scrollToMap() {
  document.getElementById("map").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
