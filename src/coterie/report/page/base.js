// The record, the few helpers that make elements, and the one thing the parts of the page share: which group is picked.

const record = JSON.parse(document.getElementById("record").textContent);
const clusters = record.clusters || [];
const [chosen, judge, outliers, population, profile] = ["chosen", "judge", "outliers", "population", "profile"].map((part) => record[part] || {});
const NOISE = -1;
// What this page calls a cluster, and several.
const noun = record.noun || "group";
const nouns = noun === "class" ? "classes" : `${noun}s`;

// Make an element. Every text goes in as a text node, so that nothing in the data is ever read as markup.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "style") for (const [property, setting] of Object.entries(value)) node.style.setProperty(property, setting);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== false && known(child)) node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

// The same for drawings. The namespace comes from the page, so that no address stands in its scripts.
const { namespaceURI: SVG } = document.getElementById("svg-root").content.firstElementChild;

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) if (known(value)) node.setAttribute(name, String(value));
  for (const child of children.flat(Infinity)) if (child !== false && known(child)) node.append(child);
  return node;
}

const soft = (...words) => el("span", { class: "soft" }, words);
const rowHead = (...words) => el("th", { scope: "row" }, words);
const whyCell = (why) => el("td", { class: "why" }, sentence(why) || "–");
const figureCell = (...words) => el("td", { class: "number" }, words);
const sentences = (lines) => el("ul", {}, lines.map((line) => el("li", {}, sentence(line))));

const known = (value) => value !== null && value !== undefined && value !== "";
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const list = (value) => (Array.isArray(value) ? value : []);
const text = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

function number(value, column) {
  if (!isNumber(value)) return known(value) ? text(value) : "–";
  if (/year|\bid\b|zip|code/i.test(column || "") && Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  return size >= 1000 ? whole.format(value) : exact.format(value);
}

function count(value) {
  return isNumber(value) ? whole.format(value) : "?";
}

function rows(value) {
  return `${count(value)} ${value === 1 ? "row" : "rows"}`;
}

// A share in percent, precise enough to tell a small group from none.
function percent(share) {
  if (!isNumber(share)) return "?";
  const value = 100 * share;
  if (value === 0 || value >= 99.95) return `${value.toFixed(0)}%`;
  if (value < 0.1) return "<0.1%";
  return `${value.toFixed(value < 10 ? 1 : 0)}%`;
}

function seconds(value) {
  if (!isNumber(value)) return "–";
  return value < 1 ? `${Math.max(1, Math.round(value * 1000))} ms` : `${short.format(value)} s`;
}

function bytes(value) {
  if (!isNumber(value)) return "?";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  return `${short.format(value / 1000 ** step)} ${units[step]}`;
}

const titled = (words) => words[0].toUpperCase() + words.slice(1);

// A sentence with its capital and its stop; nothing for what isn't known.
function sentence(value) {
  const words = known(value) ? text(value).trim() : "";
  if (!words) return "";
  const start = titled(words);
  return /[.!?…]$/.test(start) ? start : `${start}.`;
}

function clip(words, most) {
  const all = text(words);
  return all.length > most ? `${all.slice(0, most - 1)}…` : all;
}

function colorOf(cluster) {
  if (!clusters[cluster]) return record.noise_color;
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
