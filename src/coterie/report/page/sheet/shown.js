// Values in the words of their format, names cut to the room they have, and the looks by which series are told apart.

const BEFORE = ["$", "€", "£", "¥"];
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

// The same words as in the terminal.
function shown(value, form, unit) {
  if (!isNumber(value)) return known(value) ? text(value) : "–";
  return withUnit(inForm(value, form), unit);
}

function inForm(value, form) {
  if (form === "percent") return value < 0 ? `-${percent(-value)}` : percent(value);
  if (form === "integer" || form === "group") return whole.format(value);
  if (form === "money") return Math.abs(value) >= 1000 ? whole.format(value) : cents.format(value);
  if (form === "seconds") return seconds(value);
  return number(value);
}

function withUnit(said, unit) {
  if (!known(unit)) return said;
  if (!BEFORE.includes(unit)) return `${said} ${unit}`;
  return said.startsWith("-") ? `-${unit}${said.slice(1)}` : `${unit}${said}`;
}

// Values that stand together have as many decimals each, unless the smallest would then be lost.
function shownIn({ format: form, unit }, values) {
  const sizes = values.filter(isNumber).map(Math.abs).filter((size) => size > 0);
  const [least, most] = [firstOf(sizes), lastOf(sizes)];
  const plain = (value) => shown(value, form, unit);
  if (!sizes.length || most >= 1e9) return plain;
  let digits = null;
  if (form === "money" && most >= 1000) digits = 0;
  if ((form || "number") === "number" && most < 1000 && !sizes.every(Number.isInteger)) {
    digits = Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(most))));
    if (least < 10 ** -digits / 2) return plain;
  }
  if (digits === null) return plain;
  const even = new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => (isNumber(value) ? withUnit(even.format(value), unit) : plain(value));
}

// On an axis round sums of money need no cents.
const axisIn = (part) => (value) => shown(value, part.format === "money" && Number.isInteger(value) ? "integer" : part.format, part.unit);

const nothingToDraw = () => el("p", { class: "soft" }, "There is nothing to draw.");

const ruler = document.createElement("canvas").getContext("2d");

// How many pixels words take on a drawing.
function wide(said, size = 12) {
  ruler.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(said).width;
}

// Words cut to the pixels there are, never within a letter.
function fitted(said, room) {
  const all = upright(said).replace(/\s+/gu, " ");
  if (wide(all) <= room) return all;
  const letters = [...new Intl.Segmenter("en").segment(all.slice(0, 400))].map((one) => one.segment);
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (wide(`${letters.slice(0, middle).join("")}…`) <= room) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("")}…`;
}

// Words in two lines at most, parted between words where they can be.
function inTwo(said, room) {
  const all = upright(said).replace(/\s+/gu, " ");
  if (wide(all) <= room) return [all];
  const parts = all.split(" ");
  let n = parts.length - 1;
  while (n > 0 && wide(parts.slice(0, n).join(" ")) > room) n -= 1;
  return n === 0 ? [fitted(all, room)] : [parts.slice(0, n).join(" "), fitted(parts.slice(n).join(" "), room)];
}

// A line of a table below a drawing.
const cellsIn = (part) => (value, i) => (i === 0 ? rowHead(el("bdi", {}, value instanceof Node ? value : shown(value, part.x_format))) : isNumber(value) ? figureCell(shown(value, part.format, part.unit)) : el("td", {}, value ?? "–"));

// Series differ by colour, by hatching or dashes, and by the shape of their points; colour is never the only sign.
const DASHES = [null, "7 4", "2 3", "9 3 2 3", "5 2"];
const POINTS = ["M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z", "M-3.5 -3.5h7v7h-7Z", "M0 -4.8L4.6 3.4H-4.6Z", "M0 -5L4.5 0L0 5L-4.5 0Z", "M0 4.8L4.6 -3.4H-4.6Z"];
const TURNS = [null, 45, -45, 0, 90];
const seriesColor = (i, one) => record.palette[isNumber((one || {}).group) ? one.group % record.palette.length : i % 7];
const seriesName = (one, i) => (known(one.name) ? text(one.name) : `series ${i + 1}`);

let patterns = 0;

// What fills the bars of a series: plain, or hatched. `plain` holds what a drawing needs to define for it.
function fillOf(i) {
  const turn = TURNS[i % TURNS.length];
  if (turn === null) return { fill: seriesColor(i), plain: null };
  patterns += 1;
  const id = `hatch-${patterns}`;
  const plain = svg(
    "pattern",
    { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turn})` },
    svg("rect", { width: 6, height: 6, fill: seriesColor(i) }),
    svg("line", { x1: 0, x2: 0, y1: 0, y2: 6, class: "hatch" }),
  );
  return { fill: `url(#${id})`, plain };
}

// The names of the series above a drawing, each with its sign; nothing where there is one.
function keyOf(series, width, signOf) {
  if (series.length < 2) return { node: null, height: 0 };
  let [across, down] = [0, 0];
  const items = series.map((one, i) => {
    const name = fitted(seriesName(one, i), Math.min(240, width - 40));
    const room = 34 + wide(name) + 18;
    if (across > 0 && across + room > width) [across, down] = [0, down + 20];
    const node = svg("g", { transform: `translate(${across} ${down})` }, signOf(one, i), words(34, 14, name, {}));
    across += room;
    return node;
  });
  return { node: svg("g", { class: "series-key", "aria-hidden": "true" }, items), height: down + 28 };
}

const lastOf = (values) => Math.max(...values);
const firstOf = (values) => Math.min(...values);
const numbersOf = (series, names) => series.flatMap((one) => names.flatMap((name) => list(one[name]))).filter(isNumber);

// Marks across a drawing: a line at each, and its words where they do not meet those before.
function marksAcross(marks, place, top, bottom, from, to) {
  const rows = [];
  const found = list(marks).map((mark) => ({ at: place(mark.x), said: text(mark.label ?? "") })).filter(({ at }) => isNumber(at));
  const names = found.sort((a, b) => a.at - b.at).map(({ at, said }) => {
    const name = fitted(said, Math.max(60, Math.min(240, to - from)));
    const left = at + 6 + wide(name, 12.5) > to;
    const [start, end] = left ? [at - 6 - wide(name, 12.5), at] : [at, at + 6 + wide(name, 12.5)];
    let row = rows.findIndex((busy) => busy < start);
    if (row < 0) row = rows.length;
    rows[row] = end + 6;
    return words(left ? at - 6 : at + 6, top + 12 + 16 * row, name, { class: "mark-words", "text-anchor": left ? "end" : "start" });
  });
  return [found.map(({ at }) => svg("line", { x1: at, x2: at, y1: top, y2: bottom, class: "mark-line" })), names];
}
