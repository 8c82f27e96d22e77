// Drawings of groups: made anew for each width, so that letters keep their size; whoever clicks a part picks its group.

// Scales and marks for them. `ticksOf` gives three to about `most` round values between two ends.
const linear = (low, high, from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);

function ticksOf(low, high, most = 6) {
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) ticks.push(Number((i * step).toPrecision(6)));
  return ticks;
}

// Round values that are whole, where halves would read as one of their neighbours.
const wholeTicksOf = (low, high, most) => ticksOf(low, high, most).filter(Number.isInteger);

const words = (x, y, content, attributes) => svg("text", { x, y, ...attributes }, content);

// An axis along the bottom: a fine line at each round value, its number below, and what it is.
function axisBelow(scale, ticks, top, bottom, name, middle, inWords = number) {
  return svg(
    "g",
    { class: "axis-marks", "aria-hidden": "true" },
    ticks.map((tick) => [svg("line", { x1: scale(tick), x2: scale(tick), y1: top, y2: bottom, class: "grid-line" }), words(scale(tick), bottom + 16, inWords(tick), { "text-anchor": "middle" })]),
    words(middle, bottom + 34, name, { "text-anchor": "middle", class: "axis-name" }),
  );
}

function axisLeft(scale, ticks, left, right, name, inWords = number) {
  return svg(
    "g",
    { class: "axis-marks", "aria-hidden": "true" },
    ticks.map((tick) => [svg("line", { x1: left, x2: right, y1: scale(tick), y2: scale(tick), class: "grid-line" }), words(left - 6, scale(tick) + 4, inWords(tick), { "text-anchor": "end" })]),
    words(4, 12, name, { class: "axis-name" }),
  );
}

// The sign of a group on a drawing: its number on its colour, a button for keyboards too.
function sign(cluster, x, y, size = 11) {
  const color = colorOf(cluster);
  return svg(
    "g",
    { class: "sign-of-group", "data-group": cluster, role: "button", tabindex: "-1", "aria-pressed": "false", "aria-label": `${cluster === NOISE ? "" : `${titled(noun)} ${cluster}, `}${nameOf(cluster)}` },
    svg("circle", { cx: x, cy: y, r: size, fill: color, class: "sign-disc" }),
    words(x, y + 4, cluster === NOISE ? "·" : String(cluster), { "text-anchor": "middle", fill: inkOn(color), class: "sign-number" }),
  );
}

const hint = (content) => svg("title", {}, content);

// A place for a drawing; `draw(width)` makes it. Arrow keys go from sign to sign.
function chart(label, draw) {
  const box = el("div", { class: "chart", role: "group", "aria-label": label });
  let width = 0;
  const mark = () => box.querySelectorAll("[data-group]").forEach((one) => {
    const cluster = Number(one.dataset.group);
    one.classList.toggle("faded", isFaded(cluster));
    if (one.hasAttribute("aria-pressed")) one.setAttribute("aria-pressed", String(picked.value === cluster));
  });
  const redraw = () => {
    const now = Math.round(box.clientWidth);
    if (!now || now === width) return;
    width = now;
    box.replaceChildren(draw(width));
    const first = box.querySelector("[tabindex]");
    if (first) first.setAttribute("tabindex", "0");
    mark();
  };
  new ResizeObserver(redraw).observe(box);
  onPick(mark);
  withNames(() => { width = 0; redraw(); });
  box.addEventListener("click", (event) => {
    const part = event.target.closest("[data-group]");
    if (part) pick(Number(part.dataset.group));
  });
  box.addEventListener("keydown", (event) => goAmong([...box.querySelectorAll("[tabindex]")], event));
  return box;
}

function goAmong(signs, event) {
  const at = signs.indexOf(event.target);
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (at < 0 || (!step && !["Enter", " "].includes(event.key))) return;
  event.preventDefault();
  if (!step) return void pick(Number(event.target.dataset.group));
  const next = signs[(at + step + signs.length) % signs.length];
  event.target.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}

function drawing(width, height, ...parts) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` }, parts);
}

// One cell of the table below a drawing: the first in a line is its head.
function plainCell(value, i) {
  if (i === 0) return rowHead(value instanceof Node ? value : number(value, "id"));
  return isNumber(value) ? figureCell(number(value, "id")) : el("td", {}, value ?? "–");
}

// A drawing with its title, what it says, the same as a table, and both to save. A `bare` one has its title elsewhere.
function view({ id, title, lead, label, draw, heads, lines, bare, cell = plainCell }) {
  const box = chart(label, draw);
  const save = () => download(fileName(id, "svg"), svgFile(box.firstElementChild), "image/svg+xml");
  const pixels = () => savePixels(box.firstElementChild, fileName(id, "png"));
  const plain = (value) => (value instanceof Node ? value.textContent : value);
  const table = () => download(fileName(id, "csv"), csvOf([heads, ...lines().map((line) => line.map(plain))]), "text/csv");
  const tools = [["PNG", "picture", pixels], ["SVG", "drawing", save], ["CSV", "table", table]].map(([ending, what, act]) => saveButton(ending, `Save as a ${what}: ${title}`, act));
  return el(
    "figure",
    { class: "view", id: `view-${id}` },
    el("header", { class: "view-head" }, bare ? el("span") : el("h3", {}, title), el("span", { class: "view-tools" }, tools)),
    lead && el("p", { class: "lead" }, lead),
    box,
    folded("As a table", () => plainTable(bare ? `${title}, as a table` : title, heads, lines().map((line) => el("tr", {}, line.map(cell))))),
  );
}

// Something folded that is made when it is first opened.
function folded(title, make) {
  const part = el("details", { class: "by-hand" }, el("summary", {}, title));
  part.addEventListener("toggle", () => part.open && part.children.length < 2 && part.append(make()));
  return part;
}
