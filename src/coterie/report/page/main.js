// The page itself, from top to bottom.

const page = { map: Boolean((record.map || {}).n_shown), drawn: null };

function groupsInWords() {
  if (record.structure.verdict === "none" || !clusters.length) return "No clear groups";
  return clusters.length === 1 ? "One group" : `${count(clusters.length)} groups`;
}

function verdictBanner() {
  const { verdict, sentence: words } = record.structure;
  const titles = { none: "No clear groups in these data", weak: "The groups are weak", one: "The rows form one group" };
  if (!titles[verdict]) return null;
  const advice = {
    none: clusters.length > 1 ? "The groups below only cut the data into parts; don't read more into them." : "So the rows were left together.",
    weak: "Take the borders between groups with care.",
    one: "There is nothing to tell apart.",
  };
  return el("div", { class: "banner", role: "note" }, el("b", {}, titles[verdict]), el("p", {}, known(words) ? sentence(words) : "", " ", advice[verdict]));
}

function figures() {
  const population = record.population || {};
  const judge = record.judge || {};
  const figure = (value, words) => el("div", {}, el("dd", {}, value), el("dt", {}, words));
  return el(
    "dl",
    { class: "figures" },
    figure(count(clusters.length), `${record.structure.verdict === "none" ? "part" : "group"}${clusters.length === 1 ? "" : "s"}`),
    isNumber(population.noise_rows) && figure(count(population.noise_rows), population.noise_rows === 1 ? "row fits no group" : "rows fit no group"),
    isNumber(judge.sure_share) && figure(percent(judge.sure_share), "of rows clearly belong to their group"),
    isNumber(judge.stability) && figure(percent(judge.stability), "agreement when the work is repeated"),
  );
}

// All rows as one bar, cut in groups.
function composition() {
  if (clusters.length < 2) return null;
  const noise = (record.population || {}).noise_share || 0;
  const parts = [...clusters.map((cluster) => [cluster.id, cluster.share]), ...(noise > 0 ? [[NOISE, noise]] : [])];
  return el("div", { class: "composition", role: "group", "aria-label": "Share of each group; click one to pick it out" }, parts.map(([cluster, share]) => {
    const button = pickButton(cluster, "part", share > 0.03 ? el("span", { "aria-hidden": "true" }, cluster !== NOISE ? String(cluster) : share > 0.06 ? "none" : "–") : null);
    const color = colorOf(cluster);
    button.style.setProperty("flex-grow", String(Math.max(share, 0.003)));
    button.style.setProperty("background-color", color);
    button.style.setProperty("color", inkOn(color));
    button.title = `${nameOf(cluster)}: ${percent(share)}`;
    button.setAttribute("aria-label", `${cluster === NOISE ? "" : `Group ${cluster}, `}${nameOf(cluster)}, ${percent(share)}`);
    return button;
  }));
}

function masthead() {
  const made = text(record.created || "").slice(0, 10);
  const warnings = list(record.warnings);
  return el(
    "header",
    { class: "masthead" },
    el("p", { class: "overline" }, [record.input.name, rows(record.input.rows), `${count(record.input.columns)} columns`, made].filter(known).join(" · ")),
    el("h1", {}, groupsInWords()),
    el("p", { class: "answer" }, record.answer),
    verdictBanner(),
    figures(),
    composition(),
    warnings.length > 0 && el("div", { class: "cautions" }, el("h2", {}, "Before you rely on this"), warningsList()),
  );
}

function legend() {
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

function mapCaption() {
  const map = record.map;
  const [x, y] = list(map.axes);
  const parts = [];
  if (map.n_shown < map.n_total) parts.push(`${rows(map.n_shown)} of ${count(map.n_total)} are drawn, small groups more densely than large ones.`);
  const kept = list(map.explained).filter(isNumber).reduce((sum, part) => sum + part, 0);
  if (map.method !== "columns" && map.method !== "column") {
    parts.push(`The picture flattens all used columns into two directions${kept > 0 && kept < 0.995 ? ` and keeps ${percent(kept)} of the differences between rows` : ""}.`);
  }
  parts.push(map.n_shown > DOTS ? "The stronger the colour, the more rows lie there; zoom in for single ones." : "Point at a dot to see its row.");
  return { parts: parts.join(" "), x, y };
}

function mapSection() {
  if (!page.map) return null;
  const { parts, x, y } = mapCaption();
  const canvas = el("canvas", { tabindex: "0", role: "application", "aria-label": "Map of the rows, coloured by group", "aria-describedby": "map-keys" });
  const tip = el("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  const ring = el("div", { class: "ring", hidden: true, "aria-hidden": "true" });
  const note = el("p", { class: "map-wait" }, "Drawing …");
  const tool = (sign, words, act) => el("button", { type: "button", title: words, "aria-label": words, on: { click: () => page.drawn && act(page.drawn) } }, sign);
  const tools = el("div", { class: "tools" }, tool("+", "Zoom in", (map) => map.zoomBy(1.6)), tool("−", "Zoom out", (map) => map.zoomBy(1 / 1.6)), tool("⟲", "Back to the whole picture", (map) => map.reset()));
  page.start = async () => {
    try {
      const points = await unpackPoints();
      page.drawn = new PointMap(points, canvas, { tip, ring });
      note.remove();
    } catch (problem) {
      note.textContent = "This browser is too old to draw the map; any browser since 2023 can. Everything else on the page is complete.";
      throw problem;
    } finally {
      document.documentElement.dataset.ready = "yes";
    }
  };
  return section(
    "map",
    "The map",
    "Every dot is a row; rows that are alike lie close together.",
    el(
      "div",
      { class: "map" },
      el(
        "figure",
        {},
        el("div", { class: "stage" }, canvas, note, el("span", { class: "axis axis-y", "aria-hidden": "true" }, known(y) ? `↑ ${y}` : ""), el("span", { class: "axis axis-x", "aria-hidden": "true" }, known(x) ? `${x} →` : ""), tools, ring, tip),
        el("figcaption", {}, known(x) && `Further right: ${x}. `, known(y) && `Further up: ${y}. `, parts, el("span", { id: "map-keys", class: "unseen" }, " Keys: arrows move, plus and minus zoom, 0 shows all, Escape clears the picked group.")),
      ),
      legend(),
    ),
  );
}

function showRow(row) {
  if (page.drawn && page.drawn.mark(row)) scrollToMap();
}

function scrollToMap() {
  document.getElementById("map").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function contents(parts) {
  return el("nav", { "aria-label": "On this page" }, el("ul", {}, parts.map((part) => el("li", {}, el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)))));
}

function footer() {
  const files = Object.entries(record.files || {});
  return el(
    "footer",
    {},
    files.length > 0 && el("p", {}, "In the same folder: ", files.filter(([role]) => role !== "report").map(([, name]) => name).join(", "), "."),
    list(record.next).length > 0 && el("p", {}, "Next: ", list(record.next).map((line, i) => [i > 0 && " or ", el("code", {}, line)])),
    el("p", { class: "soft" }, `Made by coterie ${record.coterie || ""}. This page works offline and sends nothing anywhere.`),
  );
}

function build() {
  const parts = [mapSection(), groupsSection(), compareSection(), outliersSection(), methodSection(), glossarySection()].filter(Boolean);
  document.body.append(
    el("a", { class: "skip", href: "#content" }, "Skip to the groups"),
    el("main", { id: "content" }, masthead(), contents(parts), parts),
    footer(),
  );
  // Paper shows everything: what is folded opens, and folds again afterwards.
  addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach((one) => { one.open = true; one.dataset.folded = "yes"; }));
  addEventListener("afterprint", () => document.querySelectorAll("details[data-folded]").forEach((one) => { one.open = false; delete one.dataset.folded; }));
  if (page.start) page.start();
  else document.documentElement.dataset.ready = "yes";
}

build();
