// The record, the look of a group, and the one thing the parts of the page share: which group is picked.

const record = JSON.parse(document.getElementById("record").textContent);
const clusters = record.clusters || [];
const [chosen, judge, outliers, population, profile] = ["chosen", "judge", "outliers", "population", "profile"].map((part) => record[part] || {});
const NOISE = -1;
// What this page calls a cluster, and several.
const noun = record.noun || "group";
const nouns = record.nouns || (noun === "class" ? "classes" : `${noun}s`);

// As `el`, for drawings. The namespace comes from the page, so that no address stands in its scripts.
const { namespaceURI: SVG } = document.getElementById("svg-root").content.firstElementChild;

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) if (known(value)) node.setAttribute(name, String(value));
  for (const child of children.flat(Infinity)) if (child !== false && known(child)) node.append(child instanceof Node ? child : upright(child));
  return node;
}

function colorOf(cluster) {
  if (!clusters[cluster]) return record.noise_color;
  if (clusters[cluster].tint) return clusters[cluster].tint;
  const index = clusters[cluster].color ?? cluster;
  return record.palette[index % record.palette.length];
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// Black or white, whichever stands out more from the colour (relative luminance as in WCAG).
function inkOn(hex) {
  const [r, g, b] = rgb(hex).map((part) => ((part / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
}

function badge(cluster) {
  const color = colorOf(cluster);
  return el(
    "span",
    { class: "badge", style: { "background-color": color, color: inkOn(color) } },
    el("span", { class: "unseen" }, cluster === NOISE ? `no ${noun}` : `${noun} `),
    cluster === NOISE ? el("span", { "aria-hidden": "true" }, "·") : String(cluster),
  );
}

// The picked group: null for all. Whoever shows groups listens.
const picked = { value: null, listeners: [] };

function onPick(listener) {
  picked.listeners.push(listener);
}

const isFaded = (cluster) => picked.value !== null && picked.value !== cluster;

function pick(cluster) {
  picked.value = picked.value === cluster ? null : cluster;
  for (const listener of picked.listeners) listener(picked.value);
}

// A part of the page that is all about one group stands out while that is picked.
function markPicked(cluster, node) {
  onPick((value) => node.classList.toggle("picked", value === cluster));
  return node;
}

function pickButton(cluster, className, ...children) {
  const button = el("button", { type: "button", class: className, "aria-pressed": "false", on: { click: () => pick(cluster) } }, children);
  onPick((value) => {
    button.setAttribute("aria-pressed", String(value === cluster));
    button.classList.toggle("faded", isFaded(cluster));
  });
  return button;
}

function section(id, title, lead, ...children) {
  return el(
    "section",
    { id, "aria-labelledby": `${id}-title` },
    el("header", { class: "section-head" }, el("h2", { id: `${id}-title` }, title), lead && el("p", { class: "lead" }, lead)),
    children,
  );
}

const sampleRows = (record.rows || {}).sample || {};
