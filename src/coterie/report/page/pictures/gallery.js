// Pictures in strips, groups as contact sheets: what stands for each, what is unlike the rest, what lies between groups.

const images = record.thumbnails || {};
const AT_A_GLANCE = 12;
const FIRST_SHEETS = 12;

const pictureName = (row) => (sampleRows[row] || {}).picture ?? `picture ${row}`;

function pictures(value) {
  return `${count(value)} ${value === 1 ? "picture" : "pictures"}`;
}

// An image; where few pixels were kept they are shown as they are, not blurred.
function image(row, words) {
  const source = images[row];
  if (!source) return null;
  const shown = el("img", { src: source, alt: words, loading: "lazy", decoding: "async" });
  const sharpen = () => shown.classList.toggle("few-pixels", Math.max(shown.naturalWidth, shown.naturalHeight) < 48);
  if (shown.complete) sharpen();
  shown.addEventListener("load", sharpen);
  return shown;
}

// An image that shows its point on the map.
function thumb(row, words) {
  const shown = image(row, words);
  if (!shown) return null;
  const name = pictureName(row);
  if (!page.map) return el("span", { class: "thumb", title: name }, shown);
  return el("button", { type: "button", class: "thumb", title: name, "aria-label": `${words}; show it on the map`, on: { click: () => showRow(row) } }, shown);
}

function strip(title, numbers, words, help) {
  const shown = list(numbers).filter((row) => images[row]);
  if (!shown.length) return null;
  return el(
    "div",
    { class: "strip" },
    el("h4", {}, title, help && el("span", { class: "soft" }, ` ${help}`)),
    el("ul", { class: "thumbs" }, shown.map((row) => el("li", {}, thumb(row, `${pictureName(row)}, ${words}`)))),
  );
}

// One line a group: enough to see what it is.
function glanceSection() {
  if (!clusters.length) return null;
  const lines = clusters.map((cluster) => el(
    "li",
    { class: "glance-line" },
    pickButton(cluster.id, "glance-name", badge(cluster.id), el("span", {}, el("b", {}, pictures(cluster.rows)), el("span", { class: "soft" }, ` ${percent(cluster.share)}`))),
    el("ul", { class: "thumbs" }, list(cluster.exemplars).slice(0, AT_A_GLANCE).filter((row) => images[row]).map((row) => el("li", {}, thumb(row, `${pictureName(row)}, typical of group ${cluster.id}`)))),
  ));
  return section("glance", "The groups at a glance", "The pictures nearest to the middle of each group, largest group first. Click one to see where it lies on the map.", el("ul", { class: "glance" }, lines));
}

function sheet(cluster) {
  const color = colorOf(cluster.id);
  const features = list(cluster.features);
  const id = `group-${cluster.id}`;
  return el(
    "article",
    { class: "card", id, "aria-labelledby": `${id}-name` },
    el("header", { class: "card-head" }, badge(cluster.id), el("h3", { id: `${id}-name` }, nameOf(cluster.id)), page.map && mapButton(cluster.id)),
    el("p", { class: "card-size" }, el("b", {}, pictures(cluster.rows)), el("span", { class: "soft" }, ` · ${percent(cluster.share)} of all`), bar(cluster.share, color, `${percent(cluster.share)} of all pictures`)),
    strip("Most typical", cluster.exemplars, `typical of group ${cluster.id}`),
    strip("Least typical", cluster.unusual, `unusual in group ${cluster.id}`, "furthest from the middle"),
    strip("On the border", cluster.border, `on the border of group ${cluster.id}`, "could belong elsewhere"),
    features.length > 0 && el(
      "div",
      { class: "features" },
      el("p", { class: "key" }, el("span", { class: "key-dot", style: { "background-color": color } }), "this group", el("span", { class: "key-ring" }), "all other pictures"),
      el("ul", {}, features.slice(0, 4).map((feature) => featureRow(feature, color))),
    ),
    surenessOfPictures(cluster, color),
  );
}

function surenessOfPictures(cluster, color) {
  const facts = [["Repeatable", cluster.stability], ["Certain pictures", cluster.certainty], ["Set apart", cluster.separation]].filter(([, value]) => isNumber(value));
  if (!facts.length || clusters.length < 2) return null;
  return el("dl", { class: "sureness" }, facts.map(([words, value]) => el("div", {}, el("dt", {}, words), el("dd", {}, el("b", {}, percent(value)), bar(value, color, percent(value))))));
}

function sheetsSection() {
  if (!clusters.length) return null;
  const grid = el("div", { class: "cards" }, clusters.slice(0, FIRST_SHEETS).map(sheet));
  const rest = clusters.slice(FIRST_SHEETS);
  const more = rest.length > 0 && el("button", { type: "button", class: "more", on: { click: (event) => {
    grid.append(...rest.map(sheet));
    event.target.remove();
    for (const listener of picked.listeners) listener(picked.value);
  } } }, `Show the other ${count(rest.length)} groups`);
  return section("groups", clusters.length === 1 ? "The group" : "The groups, one by one", clusters.length > 1 && "Brightness, contrast and the like only describe the groups; they were not used to find them.", grid, more);
}

function unusualSection() {
  const outliers = record.outliers || {};
  const population = record.population || {};
  const top = list(outliers.top).filter((one) => images[one.row]);
  if (!top.length && !population.noise_rows) return null;
  const labels = new Map(list(outliers.top).map((one) => [one.row, one.label]));
  const cards = top.map((one) => el(
    "li",
    { class: "unusual" },
    thumb(one.row, `${pictureName(one.row)}, unlike the others`),
    el("div", {}, el("p", { class: "unusual-name" }, isNumber(labels.get(one.row)) && badge(labels.get(one.row)), ` ${clip(pictureName(one.row), 60)}`), el("p", { class: "soft" }, known(one.why) ? sentence(one.why) : "")),
  ));
  const about = population.noise_rows > 0 && el("p", {}, `${pictures(population.noise_rows)} (${percent(population.noise_share)}) ${population.noise_rows === 1 ? "has" : "have"} no group. `, known(population.noise_why) && sentence(population.noise_why));
  return section("outliers", "Pictures that stand out", known(outliers.sentence) ? sentence(outliers.sentence) : null, about, cards.length > 0 && el("ul", { class: "unusuals" }, cards));
}
