// Rows picked out on the map: by a loop or a box drawn with the pointer, or by a box moved with the keys.

const STEP = 20; // pixels that a key moves a box

const selection = { points: null, listeners: [] };

function onSelect(listener) {
  selection.listeners.push(listener);
}

function select(points) {
  selection.points = points;
  for (const listener of selection.listeners) listener();
}

// An outline on the map: a loop of places, or two corners of a box; in pixels while it is drawn, in steps of the map once it is.
class Outline {
  constructor(map, shape) {
    Object.assign(this, { map, shape, kind: null, corners: [], fixed: null });
  }

  begin(kind, place) {
    Object.assign(this, { kind, corners: [place], fixed: null });
    this.show();
  }

  beginByKeys() {
    const { width, height } = this.map;
    Object.assign(this, { kind: "keys", fixed: null, corners: [[width * 0.35, height * 0.35], [width * 0.65, height * 0.65]] });
    this.show();
  }

  extend(place) {
    if (this.kind === "loop") this.corners.push(place);
    else this.corners[1] = place;
    this.show();
  }

  // Keys move the box; with Shift they move its lower right corner.
  move(dx, dy, onlyEnd) {
    this.corners = this.corners.map(([x, y], i) => (onlyEnd && i === 0 ? [x, y] : [x + dx * STEP, y + dy * STEP]));
    this.show();
  }

  path() {
    if (this.kind === "loop" || this.corners.length < 2) return this.corners;
    const [[a, b], [c, d]] = this.corners;
    return [[a, b], [c, b], [c, d], [a, d]];
  }

  // A click, or a line without width, encloses nothing.
  end() {
    const path = this.path();
    const span = (axis) => Math.max(...path.map((place) => place[axis])) - Math.min(...path.map((place) => place[axis]));
    if (path.length < 3 || span(0) < 3 || span(1) < 3) return this.clear();
    const { sx, sy, ox, oy } = this.map.view;
    this.kind = null;
    this.fixed = path.map(([x, y]) => [(x - ox) / sx, (oy - y) / sy]);
    this.show();
    select(pointsWithin(this.map, path));
  }

  clear() {
    Object.assign(this, { kind: null, corners: [], fixed: null });
    this.show();
    select(null);
  }

  show() {
    const { sx, sy, ox, oy } = this.map.view;
    const path = this.fixed ? this.fixed.map(([x, y]) => [x * sx + ox, oy - y * sy]) : this.path();
    this.shape.setAttribute("d", path.length > 1 ? `M${path.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}${this.kind === "loop" ? "" : "Z"}` : "");
  }
}

// The points inside a path, as numbers of points; of a picked group only, where one is. The path is filled on a small picture
// and each point asks its pixel, which takes as long for a million points however many corners the path has.
function pointsWithin(map, path) {
  const [width, height] = [Math.ceil(map.width), Math.ceil(map.height)];
  const context = el("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  context.beginPath();
  path.forEach(([x, y]) => context.lineTo(x, y));
  context.fill();
  const { data } = context.getImageData(0, 0, width, height);
  const { sx, sy, ox, oy } = map.view;
  const { x, y, n, label } = map.points;
  const found = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const px = Math.floor(x[i] * sx + ox);
    const py = Math.floor(oy - y[i] * sy);
    if (px < 0 || py < 0 || px >= width || py >= height || data[4 * (py * width + px) + 3] < 128) continue;
    if (picked.value === null || label[i] === picked.value) found[count++] = i;
  }
  return found.slice(0, count);
}

// ---- what is said of the rows picked out

function selectionPanel(things) {
  const panel = el("div", { class: "selection", role: "region", "aria-label": `Selected ${things}`, hidden: true });
  const said = el("p", { class: "selection-said", role: "status" }, "Nothing is selected.");
  onSelect(() => {
    const { points } = selection;
    panel.hidden = points === null;
    if (points === null) return void (said.textContent = "Nothing is selected.");
    const all = page.drawn.points;
    said.textContent = points.length === 0 ? `No ${things} lie there.` : `${count(points.length)} ${points.length === 1 ? things.replace(/s$/, "") : things} selected, ${percent(points.length / all.n)} of those on the map.`;
    panel.replaceChildren(said, selectionTools(points), ...(points.length ? [el("div", { class: "selection-parts" }, groupsAmong(points, all), valuesAmong(points, all, things))] : []));
  });
  panel.append(said);
  return panel;
}

function selectionTools(points) {
  return el(
    "span",
    { class: "view-tools" },
    points.length > 0 && saveButton("CSV", "Save the selected rows as a table", () => download(fileName("selected", "csv"), csvOf(selectedLines(points)), "text/csv")),
    el("button", { type: "button", class: "quiet", on: { click: () => page.drawn.outline.clear() } }, "Clear selection"),
  );
}

const idColumn = (list(record.columns).find((column) => column.role === "id") || {}).name;
const idsOfRows = list(((record.rows || {}).ids || {}).values);
const idOf = (row) => idsOfRows[row] ?? (sampleRows[row] || {})[idColumn];

function selectedLines(points) {
  const { row, label } = page.drawn.points;
  const named = known(idColumn);
  const lines = [["row", ...(named ? [idColumn] : []), "label", "group"]];
  for (const i of points) lines.push([row[i], ...(named ? [idOf(row[i]) ?? ""] : []), label[i], nameOf(label[i])]);
  return lines;
}

function groupsAmong(points, { label }) {
  const sizes = new Map();
  for (const i of points) sizes.set(label[i], (sizes.get(label[i]) || 0) + 1);
  const order = [...sizes].sort((a, b) => b[1] - a[1]);
  const lines = order.slice(0, 8).map(([cluster, size]) => el("li", {}, el("span", { class: "named" }, badge(cluster), nameNode(cluster)), el("span", {}, el("b", {}, count(size)), soft(` ${percent(size / points.length)}`)), bar(size / points.length, colorOf(cluster), percent(size / points.length))));
  return el("div", {}, el("h4", {}, "Their groups"), el("ul", { class: "among" }, lines), order.length > 8 && soft(`and ${count(order.length - 8)} more groups`));
}

// Typical values are known of rows whose values travel in the page.
function valuesAmong(points, { row }, things) {
  const inside = [];
  for (const i of points) if (sampleRows[row[i]]) inside.push(sampleRows[row[i]]);
  if (!inside.length) return el("div", {}, el("h4", {}, "Typical values"), soft(`The page holds the values of none of these ${things}; save them and look their numbers up in the data.`));
  const all = Object.values(sampleRows);
  const used = list(record.columns).filter((column) => column.used).map((column) => column.name);
  const names = (used.length ? used : Object.keys(inside[0])).slice(0, 12);
  const lines = names.map((name) => el("tr", {}, rowHead(name), cell(typicalOf(inside, name), name), cell(typicalOf(all, name), name)));
  return el("div", {}, el("h4", {}, `Typical values, of ${count(inside.length)} whose values are in this page`), plainTable("Typical values", ["Column", "Selected", `All ${things} in this page`], lines));
}

// The middle number, or the most frequent of other values.
function typicalOf(some, name) {
  const values = some.map((one) => one[name]).filter(known);
  const numbers = values.filter(isNumber).sort((a, b) => a - b);
  if (numbers.length * 2 > values.length) return numbers[Math.floor((numbers.length - 1) / 2)];
  const times = new Map();
  for (const value of values.map(text)) times.set(value, (times.get(value) || 0) + 1);
  return [...times].sort((a, b) => b[1] - a[1])[0]?.[0];
}
