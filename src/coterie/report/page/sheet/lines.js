// Lines over a scale, over time or from one word to the next, with bands from low to high, and marks across.

function linesView(part, id) {
  if (!part.x.length || !part.series.length) return nothingToDraw();
  const { series } = part;
  const said = shownIn(part, numbersOf(series, ["values", "low", "high"]));
  return view({
    id,
    title: part.title,
    bare: true,
    label: `${part.title}: ${series.length === 1 ? "a line" : `${series.length} lines, ${series.map(seriesName).join(", ")},`} over ${count(part.x.length)} places${known(part.x_label) ? ` of ${part.x_label}` : ""}; as a table below`,
    draw: (width) => drawLines(part, said, width),
    heads: [part.x_label || "Place", ...series.flatMap((one, i) => [seriesName(one, i), ...(one.low || one.high ? [`${seriesName(one, i)}, from`, `${seriesName(one, i)}, to`] : [])])],
    lines: () => part.x.map((at, i) => [placeWords(part, at), ...series.flatMap((one) => [one.values[i], ...(one.low || one.high ? [list(one.low)[i], list(one.high)[i]] : [])])]),
    cell: cellsIn(part),
  });
}

const placeWords = (part, at) => (isNumber(at) ? number(at, part.x_label) : text(at));

// Where each place stands: numbers and days to scale, other words at even steps.
function scaleAcross(part, from, to) {
  const days = part.x.map(toNumber);
  const measured = part.x.length > 0 && days.every(isNumber);
  const at = measured ? days : part.x.map((_, i) => i);
  const [low, high] = [firstOf(at), lastOf(at)];
  const scale = low === high ? () => (from + to) / 2 : linear(low, high, from, to);
  const place = (value) => {
    if (measured) return isNumber(toNumber(value)) && toNumber(value) >= low && toNumber(value) <= high ? scale(toNumber(value)) : null;
    const i = part.x.indexOf(value);
    return i < 0 ? null : scale(i);
  };
  return { at: at.map(scale), place, numeric: measured && part.x.every(isNumber), low, high, scale };
}

// Round values of numbers; of days and words those given, as far as they do not meet.
function placesBelow(part, across, bottom, width) {
  const { numeric, low, high, scale, at } = across;
  const all = numeric && low < high ? ticksOf(low, high, Math.max(2, Math.floor(width / 90))).map((value) => [scale(value), placeWords(part, value)]) : part.x.map((value, i) => [at[i], placeWords(part, value)]);
  let free = -Infinity;
  return svg("g", { class: "axis-marks", "aria-hidden": "true" }, all.map(([x, said]) => {
    const name = fitted(said, 110);
    const half = wide(name) / 2;
    if (x - half < free) return null;
    free = x + half + 12;
    const middle = Math.min(width - half - 2, Math.max(half + 2, x));
    return [svg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 4, class: "grid-line" }), words(middle, bottom + 17, name, { "text-anchor": "middle" })];
  }));
}

function drawLines(part, said, width) {
  const { series } = part;
  const values = numbersOf(series, ["values", "low", "high"]);
  let [low, high] = values.length ? [firstOf(values), lastOf(values)] : [0, 1];
  // From 0 on, unless that would press the lines flat.
  if (low > 0 && low < 0.5 * high) low = 0;
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const key = keyOf(series, width, (one, i) => [svg("line", { x1: 0, x2: 28, y1: 10, y2: 10, stroke: seriesColor(i, one), "stroke-dasharray": DASHES[i % DASHES.length], class: "series-line" }), svg("path", { d: POINTS[i % POINTS.length], transform: "translate(14 10)", fill: seriesColor(i, one), class: "swatch" })]);
  const head = known(part.y_label) ? 24 : 8;
  const [top, bottom] = [head, head + (width > 560 ? 260 : 200)];
  const ticks = (part.format === "integer" ? wholeTicksOf : ticksOf)(low, high, 5);
  const from = 12 + lastOf([20, ...ticks.map((tick) => wide(axisIn(part)(tick)))]);
  const to = width - 14;
  const y = linear(low, high, bottom, top + 6);
  const across = scaleAcross(part, from + 6, to - 6);
  const below = known(part.x_label) ? 42 : 26;
  return drawing(
    width,
    key.height + bottom + below,
    key.node,
    svg(
      "g",
      { transform: `translate(0 ${key.height})` },
      axisLeft(y, ticks, from, to, part.y_label || "", axisIn(part)),
      placesBelow(part, across, bottom, width),
      known(part.x_label) && words((from + to) / 2, bottom + 36, part.x_label, { "text-anchor": "middle", class: "axis-name" }),
      series.map((one, i) => (one.low && one.high ? bandOf(one, across.at, y, seriesColor(i, one)) : null)),
      series.map((one, i) => lineOf(one, i, across.at, y, part, said)),
      marksAcross(part.marks, across.place, top, bottom, from, to),
    ),
  );
}

// Stretches of places where all values are known.
function stretchesOf(n, isKnown) {
  const found = [];
  for (let i = 0; i < n; i++) {
    if (!isKnown(i)) continue;
    if (i === 0 || !isKnown(i - 1)) found.push([]);
    found.at(-1).push(i);
  }
  return found;
}

const point = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;

function bandOf({ low, high }, at, y, color) {
  return stretchesOf(at.length, (i) => isNumber(low[i]) && isNumber(high[i])).map((run) => svg("path", {
    d: run.length === 1
      ? `M${point(at[run[0]], y(low[run[0]]))}V${y(high[run[0]]).toFixed(1)}`
      : `M${run.map((i) => point(at[i], y(high[i]))).join("L")}L${run.toReversed().map((i) => point(at[i], y(low[i]))).join("L")}Z`,
    fill: color,
    stroke: run.length === 1 ? color : null,
    class: "band",
  }));
}

function lineOf(one, i, at, y, part, said) {
  const { values, low, high, name } = one;
  const color = seriesColor(i, one);
  const runs = stretchesOf(at.length, (j) => isNumber(values[j]));
  // With many places a point here and there is enough to tell series apart.
  const every = Math.max(1, Math.ceil(at.length / 40));
  const points = values.map((value, j) => {
    if (!isNumber(value) || (j % every !== 0 && j !== values.length - 1)) return null;
    const limits = low && high && isNumber(low[j]) && isNumber(high[j]) ? `, from ${said(low[j])} to ${said(high[j])}` : "";
    return svg("path", { d: POINTS[i % POINTS.length], transform: `translate(${point(at[j], y(value))})`, fill: color, class: "swatch" }, hint(`${known(name) ? `${name}, ` : ""}${placeWords(part, part.x[j])}: ${said(value)}${limits}`));
  });
  return [
    runs.map((run) => svg("path", { d: `M${run.map((j) => point(at[j], y(values[j]))).join("L")}`, stroke: color, "stroke-dasharray": DASHES[i % DASHES.length], class: "series-line" })),
    points,
  ];
}
