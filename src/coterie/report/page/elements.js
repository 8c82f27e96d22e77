// The few helpers that make elements and write numbers and words; they know no record.

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
    if (child !== false && known(child)) node.append(child instanceof Node ? child : upright(child));
  }
  return node;
}

// Marks in the data that reverse what follows would reverse our words after it.
const upright = (words) => String(words).replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

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

const columnsInWords = (value) => `${count(value)} column${value === 1 ? "" : "s"}`;

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
