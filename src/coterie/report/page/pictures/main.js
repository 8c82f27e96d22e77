// The page of pictures, from top to bottom.

const page = { map: Boolean((record.map || {}).n_shown), drawn: null, look: lookOf };
const DRAWN_AS_DOTS = 20000;

// What the map shows beside a point.
function lookOf(row) {
  return [image(row, ""), el("div", { class: "soft" }, clip(pictureName(row), 60))].filter(Boolean);
}

function groupsOfPictures() {
  if (record.structure.verdict === "none" || !clusters.length) return "No clear groups";
  return clusters.length === 1 ? "One group" : `${count(clusters.length)} groups`;
}

function doubt() {
  const { verdict, sentence: words } = record.structure;
  const titles = { none: "No clear groups among these pictures", weak: "The groups are weak", one: "The pictures form one group" };
  if (!titles[verdict]) return null;
  const advice = {
    none: clusters.length > 1 ? "The groups below only cut the pictures into parts; don't read more into them." : "So the pictures were left together.",
    weak: "Take the borders between groups with care.",
    one: "There is nothing to tell apart.",
  };
  return el("div", { class: "banner", role: "note" }, el("b", {}, titles[verdict]), el("p", {}, known(words) ? sentence(words) : "", " ", advice[verdict]));
}

function keyFigures() {
  const population = record.population || {};
  const judge = record.judge || {};
  const figure = (value, words) => el("div", {}, el("dd", {}, value), el("dt", {}, words));
  return el(
    "dl",
    { class: "figures" },
    figure(count(clusters.length), clusters.length === 1 ? "group" : "groups"),
    population.noise_rows > 0 && figure(count(population.noise_rows), population.noise_rows === 1 ? "picture fits no group" : "pictures fit no group"),
    clusters.length > 1 && isNumber(judge.sure_share) && figure(percent(judge.sure_share), "of pictures clearly belong to their group"),
    clusters.length > 1 && isNumber(judge.stability) && figure(percent(judge.stability), "agreement when pictures are left out"),
  );
}

// All pictures as one bar, cut in groups.
function compositionOfPictures() {
  if (clusters.length < 2) return null;
  const noise = (record.population || {}).noise_share || 0;
  const parts = [...clusters.map((cluster) => [cluster.id, cluster.share]), ...(noise > 0 ? [[NOISE, noise]] : [])];
  return el("div", { class: "composition", role: "group", "aria-label": "Share of each group; click one to pick it out" }, parts.map(([cluster, share]) => {
    const color = colorOf(cluster);
    const button = pickButton(cluster, "part", share > 0.03 ? el("span", { "aria-hidden": "true" }, cluster !== NOISE ? String(cluster) : share > 0.06 ? "none" : "–") : null);
    for (const [property, value] of [["flex-grow", String(Math.max(share, 0.003))], ["background-color", color], ["color", inkOn(color)]]) button.style.setProperty(property, value);
    button.title = `${nameOf(cluster)}: ${percent(share)}`;
    button.setAttribute("aria-label", `${cluster === NOISE ? "" : `Group ${cluster}, `}${nameOf(cluster)}, ${percent(share)}`);
    return button;
  }));
}

function mastheadOfPictures() {
  const { input } = record;
  const shape = record.pictures;
  const made = text(record.created || "").slice(0, 10);
  return el(
    "header",
    { class: "masthead" },
    el("p", { class: "overline" }, [input.name, pictures(input.rows), `compared at ${shape.height} × ${shape.width} pixels`, made].filter(known).join(" · ")),
    el("h1", {}, groupsOfPictures()),
    el("p", { class: "answer" }, record.answer),
    doubt(),
    keyFigures(),
    compositionOfPictures(),
    list(record.warnings).length > 0 && el("div", { class: "cautions" }, el("h2", {}, "Before you rely on this"), warningsList()),
  );
}

function legendOfPictures() {
  const entry = (cluster, size, share) => el("li", {}, pickButton(cluster, "legend-entry", badge(cluster), el("span", { class: "legend-name" }, nameOf(cluster)), el("span", { class: "soft legend-size" }, `${count(size)} · ${percent(share)}`)));
  const population = record.population || {};
  const all = el("button", { type: "button", class: "quiet", disabled: true, on: { click: () => pick(picked.value) } }, "Show all");
  onPick((value) => { all.disabled = value === null; });
  return el(
    "div",
    { class: "legend" },
    el("div", { class: "legend-head" }, el("h3", {}, "Groups"), all),
    el("ul", { tabindex: clusters.length > 12 ? "0" : null }, clusters.map((cluster) => entry(cluster.id, cluster.rows, cluster.share)), population.noise_rows > 0 && entry(NOISE, population.noise_rows, population.noise_share)),
  );
}

function mapOfPictures() {
  if (!page.map) return null;
  const { map } = record;
  const canvas = el("canvas", { tabindex: "0", role: "application", "aria-label": "Map of the pictures, coloured by group", "aria-describedby": "map-keys" });
  const tip = el("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  const ring = el("div", { class: "ring", hidden: true, "aria-hidden": "true" });
  const note = el("p", { class: "map-wait" }, "Drawing …");
  const tool = (sign, words, act) => el("button", { type: "button", title: words, "aria-label": words, on: { click: () => page.drawn && act(page.drawn) } }, sign);
  const tools = el("div", { class: "tools" }, tool("+", "Zoom in", (drawn) => drawn.zoomBy(1.6)), tool("−", "Zoom out", (drawn) => drawn.zoomBy(1 / 1.6)), tool("⟲", "Back to the whole picture", (drawn) => drawn.reset()));
  page.start = async () => {
    try {
      page.drawn = new PointMap(await unpackPoints(), canvas, { tip, ring });
      note.remove();
    } catch (problem) {
      note.textContent = "This browser is too old to draw the map; any browser since 2023 can. Everything else on the page is complete.";
      throw problem;
    } finally {
      document.documentElement.dataset.ready = "yes";
    }
  };
  const drawn = map.n_shown < map.n_total ? `${pictures(map.n_shown)} of ${count(map.n_total)} are drawn. ` : "";
  const method = map.method === "neighbours" ? "Places come from who is near whom; directions and distances between far groups mean nothing. " : "The picture flattens all numbers into two directions. ";
  const help = map.n_shown > DRAWN_AS_DOTS ? "The stronger the colour, the more pictures lie there; zoom in for single ones." : "Point at a dot for its name; pictures shown on this page are shown there too.";
  return section(
    "map",
    "The map",
    "Every dot is a picture; pictures that the comparison finds alike lie close together.",
    el(
      "div",
      { class: "map" },
      el(
        "figure",
        {},
        el("div", { class: "stage" }, canvas, note, tools, ring, tip),
        el("figcaption", {}, drawn, method, help, el("span", { id: "map-keys", class: "unseen" }, " Keys: arrows move, plus and minus zoom, 0 shows all, Escape clears the picked group.")),
      ),
      legendOfPictures(),
    ),
  );
}

function showRow(row) {
  if (page.drawn && page.drawn.mark(row)) scrollToMap();
}

function scrollToMap() {
  document.getElementById("map").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function leftOutBlock() {
  const left = list(record.pictures.left_out);
  if (!left.length) return null;
  const lines = left.slice(0, 50).map((one) => el("tr", {}, el("th", { scope: "row" }, clip(one.name, 120)), el("td", {}, one.why)));
  return block("Left out", `${count(left.length)} ${left.length === 1 ? "file" : "files"} could not be read.`, plainTable("Files left out", ["File", "Why"], lines));
}

function originOfPictures() {
  const { input } = record;
  const notes = list(input.notes);
  const facts = [
    ["Data", `${input.name || "?"}, ${pictures(input.rows)}${isNumber(input.bytes) ? `, ${bytes(input.bytes)}` : ""}`],
    ["Fingerprint of the pictures", input.fingerprint],
    ["Made", record.created],
    ["Options given", settings(record.options) || "none"],
    ["Seed", `${record.seed} (the same seed gives the same groups)`],
    ["Versions", Object.entries(record.versions || {}).map(([name, version]) => `${name} ${version}`).join(", ")],
  ].filter(([, value]) => known(value));
  return block("Origin", null, factList(facts), notes.length > 0 && el("details", { open: true }, el("summary", {}, "How the pictures were read"), el("ul", {}, notes.map((note) => el("li", {}, sentence(note))))));
}

function smallGroups() {
  const population = record.population || {};
  const actions = list(population.actions);
  if (!actions.length && !isNumber(population.min_rows)) return null;
  return block("Small groups", isNumber(population.min_rows) && `A group needs at least ${pictures(population.min_rows)}.`, actions.length ? el("ul", {}, actions.map((action) => el("li", {}, sentence(action)))) : el("p", {}, "No group was too small."));
}

function howItWasDone() {
  const { encoder } = record;
  const numbers = encoder && block("Comparison", sentence(encoder.words), el("p", {}, "Pictures whose numbers are close count as alike. Labels, names and folders of the pictures were not used."));
  return section("method", "How this was done", null, numbers, candidatesBlock(), structureBlock(), truthBlock(), smallGroups(), leftOutBlock(), stepsBlock(), originOfPictures());
}

function contentsOf(parts) {
  return el("nav", { "aria-label": "On this page" }, el("ul", {}, parts.map((part) => el("li", {}, el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)))));
}

function footerOfPictures() {
  const files = Object.entries(record.files || {}).filter(([role]) => role !== "report");
  return el(
    "footer",
    {},
    files.length > 0 && el("p", {}, "In the same folder: ", files.map(([, name]) => name).join(", "), "."),
    list(record.next).length > 0 && el("p", {}, "Next: ", list(record.next).map((line, i) => [i > 0 && " or ", el("code", {}, line)])),
    el("p", { class: "soft" }, `Made by coterie ${record.coterie || ""}. This page works offline and sends nothing anywhere.`),
  );
}

function buildPictures() {
  const parts = [glanceSection(), mapOfPictures(), sheetsSection(), unusualSection(), howItWasDone(), glossarySection()].filter(Boolean);
  document.body.append(
    el("a", { class: "skip", href: "#content" }, "Skip to the groups"),
    el("main", { id: "content" }, mastheadOfPictures(), contentsOf(parts), parts),
    footerOfPictures(),
  );
  addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach((one) => { one.open = true; one.dataset.folded = "yes"; }));
  addEventListener("afterprint", () => document.querySelectorAll("details[data-folded]").forEach((one) => { one.open = false; delete one.dataset.folded; }));
  if (page.start) page.start();
  else document.documentElement.dataset.ready = "yes";
}

buildPictures();
