// How many lie where: counts between edges as steps, on a plain or a logarithmic scale of counts.

function histogramView(part, id) {
  const { series, edges } = part;
  const [low, high] = [edges[0], edges.at(-1)].map((edge) => shown(edge, part.x_format, part.x_unit));
  return view({
    id,
    title: part.title,
    bare: true,
    label: `${part.title}: counts in ${count(edges.length - 1)} steps from ${low} to ${high}${series.length > 1 ? ` of ${series.map(seriesName).join(", ")}` : ""}; as a table below`,
    draw: (width) => drawHistogram(part, width),
    heads: ["From", "To", ...series.map(seriesName)],
    lines: () => edges.slice(1).map((edge, i) => [edges[i], edge, ...series.map((one) => one.counts[i])]),
    cell: (value, i) => (i === 0 ? rowHead(shown(value, part.x_format, part.x_unit)) : figureCell(i === 1 ? shown(value, part.x_format, part.x_unit) : shown(value, "integer"))),
  });
}

// Steps that grow manifold are drawn on a logarithmic scale.
function scaleOfEdges(edges, from, to) {
  const widths = edges.slice(1).map((edge, i) => edge - edges[i]);
  const grows = edges[0] > 0 && lastOf(widths) > 50 * firstOf(widths);
  if (!grows) return { x: linear(edges[0], edges.at(-1), from, to), ticks: (most) => ticksOf(edges[0], edges.at(-1), most) };
  const x = linear(Math.log(edges[0]), Math.log(edges.at(-1)), from, to);
  return { x: (value) => x(Math.log(value)), ticks: () => powersOf(edges[0], edges.at(-1)) };
}

function powersOf(low, high) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power++) found.push(Number(`1e${power}`));
  return found;
}

function drawHistogram(part, width) {
  const { series, edges } = part;
  const most = lastOf([1, ...numbersOf(series, ["counts"])]);
  const ticks = part.log ? powersOf(1, most) : wholeTicksOf(0, most, 5);
  const key = keyOf(series, width, (_, i) => svg("rect", { x: 2, y: 4, width: 24, height: 12, fill: seriesColor(i), stroke: seriesColor(i), "stroke-dasharray": DASHES[i % DASHES.length], class: "steps" }));
  const [top, bottom] = [24, 24 + (width > 560 ? 220 : 180)];
  const from = 12 + lastOf([20, ...ticks.map((tick) => wide(shown(tick, "integer")))]);
  const to = width - 14;
  const y = part.log ? (value) => linear(Math.log(0.7), Math.log(most), bottom, top)(Math.log(Math.max(value, 0.7))) : linear(0, most, bottom, top);
  const { x, ticks: ticksBelow } = scaleOfEdges(edges, from, to);
  const inside = (value) => (isNumber(value) && value >= edges[0] && value <= edges.at(-1) ? x(value) : null);
  return drawing(
    width,
    key.height + bottom + 42,
    key.node,
    svg(
      "g",
      { transform: `translate(0 ${key.height})` },
      axisLeft(y, ticks, from, to, part.y_label || (part.log ? "count, each line ten times the one below" : "count"), (value) => shown(value, "integer")),
      axisBelow(x, ticksBelow(Math.max(2, Math.floor(width / 90))), bottom, bottom, part.x_label || "", (from + to) / 2, (value) => shown(value, part.x_format, part.x_unit)),
      series.map((one, i) => stepsOf(one, i, edges, x, y, bottom)),
      marksAcross(part.marks, inside, top, bottom, from, to),
    ),
  );
}

function stepsOf({ counts, name }, i, edges, x, y, bottom) {
  const outline = counts.map((value, j) => `V${y(value || 0).toFixed(1)}H${x(edges[j + 1]).toFixed(1)}`).join("");
  const color = seriesColor(i);
  return svg("path", { d: `M${x(edges[0]).toFixed(1)} ${bottom}${outline}V${bottom}Z`, fill: color, stroke: color, "stroke-dasharray": DASHES[i % DASHES.length], class: "steps" }, known(name) && hint(name));
}
