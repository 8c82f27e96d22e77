// Bars that lie: a label, a bar for each series, whiskers from low to high, and the value in figures.

const FIRST_BARS = 40;

function barsView(part, id) {
  if (!part.labels.length) return nothingToDraw();
  const drawn = part.labels.length > FIRST_BARS ? FIRST_BARS : part.labels.length;
  const figure = barsOf(part, id, drawn);
  if (drawn === part.labels.length) return figure;
  const all = el("button", { type: "button", class: "more", on: { click: () => {
    figure.replaceWith(barsOf(part, id, part.labels.length));
    all.remove();
  } } }, `Draw the other ${count(part.labels.length - drawn)}`);
  return [figure, all];
}

function barsOf(part, id, drawn) {
  const { series } = part;
  const said = shownIn(part, numbersOf(series, ["values", "low", "high"]));
  const nameAt = (i) => (part.groups ? nameOf(part.groups[i]) : text(part.labels[i]));
  const limits = series.some((one) => one.low || one.high);
  const heads = [part.label_name || (part.groups ? titled(noun) : "Name"), ...series.flatMap((one, i) => [seriesName(one, i), ...(one.low || one.high ? [`${seriesName(one, i)}, from`, `${seriesName(one, i)}, to`] : [])])];
  return view({
    id,
    title: part.title,
    bare: true,
    label: `${part.title}: ${count(part.labels.length)} ${part.labels.length === 1 ? "bar" : "lines of bars"}${series.length > 1 ? ` of ${series.map(seriesName).join(", ")}` : ""}${limits ? ", with whiskers" : ""}; as a table below`,
    draw: (width) => drawBars(part, nameAt, said, drawn, width),
    heads,
    lines: () => part.labels.map((_, i) => [nameAt(i), ...series.flatMap((one) => [list(one.values)[i], ...(one.low || one.high ? [list(one.low)[i], list(one.high)[i]] : [])])]),
    cell: cellsIn(part),
  });
}

function drawBars(part, nameAt, said, drawn, width) {
  const { series } = part;
  const lines = [...Array(drawn).keys()];
  const values = numbersOf(series, ["values", "low", "high"]);
  const [low, high] = [firstOf([0, ...values]), lastOf([0, ...values])];
  const signs = part.groups ? 28 : 0;
  // Where there is little room names stand above their bars.
  const above = width < 520 ? 20 : 0;
  const from = above ? 14 : signs + 10 + Math.min(260, lastOf([20, ...lines.map((i) => wide(nameAt(i)))]));
  const to = width - 12 - lastOf([16, ...lines.flatMap((i) => series.map((one) => wide(said(one.values[i]))))]);
  const x = linear(low, high || (low < 0 ? 0 : 1), from, to);
  const thick = series.length === 1 ? 18 : 14;
  const room = above ? width - signs - 4 : from - signs - 10;
  const names = lines.map((i) => inTwo(nameAt(i), room));
  const two = names.some((name) => name.length > 1);
  const second = above && two ? 14 : 0;
  const each = Math.max(above + second + series.length * thick + 10, !above && two ? 38 : 0);
  const fills = series.map((_, i) => fillOf(i));
  const key = keyOf(series, width, (_, i) => svg("rect", { x: 2, y: 4, width: 24, height: 12, fill: fills[i].fill, class: "swatch" }));
  const bottom = key.height + 6 + drawn * each;
  return drawing(
    width,
    bottom + 26,
    svg("defs", {}, fills.map((one) => one.plain)),
    key.node,
    axisBelow(x, (part.format === "integer" ? wholeTicksOf : ticksOf)(low, high || 1, Math.max(2, Math.floor((to - from) / 90))), key.height, bottom, "", (from + to) / 2, axisIn(part)),
    lines.map((i) => {
      const top = key.height + 8 + i * each;
      const middle = top + (each - 10) / 2;
      const group = part.groups ? part.groups[i] : null;
      const first = above ? top + above + second : middle - (series.length * thick) / 2;
      const nameLine = (name, j, all) => (above
        ? words(signs + 2, top + 13 + 14 * j, name, { "data-group": group, class: "name-words" })
        : words(from - 8, middle + 4 + 14 * (j - (all.length - 1) / 2), name, { "text-anchor": "end", "data-group": group, class: "name-words" }));
      return svg(
        "g",
        {},
        group !== null && sign(group, 14, above ? top + 8 : middle, above ? 9 : 11),
        names[i].map(nameLine),
        series.map((one, j) => barAt(one, i, { x, y: first + j * thick, thick: thick - (series.length > 1 ? 2 : 0), said, group, fill: group !== null && series.length === 1 ? colorOf(group) : fills[j].fill })),
      );
    }),
    svg("line", { x1: x(0), x2: x(0), y1: key.height, y2: bottom, class: "zero-line" }),
  );
}

function barAt(one, i, { x, y, thick, said, group, fill }) {
  const value = one.values[i];
  const [low, high] = [list(one.low)[i], list(one.high)[i]];
  const middle = y + thick / 2;
  const ends = [0, value, low, high].filter(isNumber).map(x);
  const limits = isNumber(low) || isNumber(high);
  return [
    isNumber(value) && svg("rect", { x: firstOf([x(0), x(value)]), y, width: Math.max(1, Math.abs(x(value) - x(0))), height: thick, fill, class: "swatch", "data-group": group }, hint(`${said(value)}${limits ? `, from ${said(low)} to ${said(high)}` : ""}`)),
    limits && whisker(x(isNumber(low) ? low : value ?? 0), x(isNumber(high) ? high : value ?? 0), middle),
    words(lastOf(ends) + 6, middle + 4, isNumber(value) ? said(value) : "not known", { class: isNumber(value) ? "bar-value" : "bar-value axis-name" }),
  ];
}

function whisker(from, to, y) {
  return svg("path", { d: `M${from} ${y - 4}v8M${from} ${y}H${to}M${to} ${y - 4}v8`, class: "whisker" });
}
