// Pictures in strips, groups as contact sheets: what stands for each, what is unlike the rest, what lies between groups.

const images = record.thumbnails || {};
const AT_A_GLANCE = 12;

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
    el("h4", {}, title, help && soft(` ${help}`)),
    el("ul", { class: "thumbs" }, shown.map((row) => el("li", {}, thumb(row, `${pictureName(row)}, ${words}`)))),
  );
}

// One line a group: enough to see what it is.
function glanceSection() {
  if (!clusters.length) return null;
  const lines = clusters.map((cluster) => el(
    "li",
    { class: "glance-line" },
    pickButton(cluster.id, "glance-name", badge(cluster.id), el("span", {}, el("b", {}, pictures(cluster.rows)), soft(` ${percent(cluster.share)}`))),
    el("ul", { class: "thumbs" }, list(cluster.exemplars).slice(0, AT_A_GLANCE).filter((row) => images[row]).map((row) => el("li", {}, thumb(row, `${pictureName(row)}, typical of group ${cluster.id}`)))),
  ));
  return section("glance", "The groups at a glance", "The pictures nearest to the middle of each group, largest group first. Click one to see where it lies on the map.", el("ul", { class: "glance" }, lines));
}

function sheet(cluster) {
  return card(
    cluster,
    pictures(cluster.rows),
    "pictures",
    page.map && mapButton(cluster.id),
    strip("Most typical", cluster.exemplars, `typical of group ${cluster.id}`),
    strip("Least typical", cluster.unusual, `unusual in group ${cluster.id}`, "furthest from the middle"),
    strip("On the border", cluster.border, `on the border of group ${cluster.id}`, "could belong elsewhere"),
    featuresOf(cluster, 4, "pictures"),
    surenessOfPictures(cluster, colorOf(cluster.id)),
  );
}

function surenessOfPictures(cluster, color) {
  const facts = [["Repeatable", cluster.stability], ["Certain pictures", cluster.certainty], ["Set apart", cluster.separation]].filter(([, value]) => isNumber(value));
  if (!facts.length || clusters.length < 2) return null;
  return el("dl", { class: "sureness" }, facts.map(([words, value]) => el("div", {}, el("dt", {}, words), el("dd", {}, el("b", {}, percent(value)), bar(value, color, percent(value))))));
}

function sheetsSection() {
  return cardsSection(clusters, sheet, "Brightness, contrast and the like only describe the groups; they were not used to find them.");
}

function unusualSection() {
  const top = list(outliers.top).filter((one) => images[one.row]);
  if (!top.length && !population.noise_rows) return null;
  const labels = new Map(list(outliers.top).map((one) => [one.row, one.label]));
  const cards = top.map((one) => el(
    "li",
    { class: "unusual" },
    thumb(one.row, `${pictureName(one.row)}, unlike the others`),
    el("div", {}, el("p", { class: "unusual-name" }, isNumber(labels.get(one.row)) && badge(labels.get(one.row)), ` ${clip(pictureName(one.row), 60)}`), el("p", { class: "soft" }, sentence(one.why))),
  ));
  return section("outliers", "Pictures that stand out", sentence(outliers.sentence), noGroup(pictures), cards.length > 0 && el("ul", { class: "unusuals" }, cards));
}
