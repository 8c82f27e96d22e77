// The walk of OPTICS, the cells of a grid, and the columns in which CLIQUE found groups.

function reachabilityView({ rows_a_bar: each, typical, highest, group }) {
  const heights = (highest || typical).filter(isNumber).sort((a, b) => a - b);
  // A few far rows would press all others flat: bars beyond are cut off, and say so.
  const top = Math.min(heights.at(-1), 1.3 * heights[Math.floor(0.99 * (heights.length - 1))]) || 1;
  const draw = (width) => {
    const [from, to, bottom] = [56, width - 10, 260];
    const slot = (to - from) / typical.length;
    const y = linear(0, top, bottom, 26);
    const bars = (values, className) => runsOf(group).map(([cluster, a, b]) => {
      let d = `M${(from + a * slot).toFixed(1)} ${bottom}`;
      for (let i = a; i < b; i++) d += `V${y(Math.min(values[i] ?? top, top)).toFixed(1)}h${slot.toFixed(3)}`;
      return svg("path", { d: `${d}V${bottom}Z`, fill: colorOf(cluster), "data-group": cluster, class: className }, hint(cluster === NOISE ? "fits no group" : `Group ${cluster}, ${nameOf(cluster)}`));
    });
    return drawing(width, bottom + 40, axisLeft(y, ticksOf(0, top, 5), from, to, "distance at which a row was reached"), highest && bars(highest, "shape pale"), bars(typical, "shape"), signsBelow(group, from, slot, bottom + 22));
  };
  const found = [...new Set(group)].filter((one) => one !== NOISE);
  return view({
    id: "reachability",
    title: "The walk through the rows",
    lead: `Rows in the order in which a walk reached them, always to the nearest next. Valleys are groups, the peaks between them the ways from one to another; deep valleys are dense.${each > 1 ? ` A bar stands for ${each} rows: dark their middle value, pale the highest.` : ""}${top < heights.at(-1) ? ` Bars above ${short.format(top)} are cut off.` : ""}`,
    label: `Reachability of ${count(typical.length)} bars in the order of the walk, with valleys of ${count(found.length)} groups`,
    draw,
    heads: ["Group", "Name", "Bars", "Middle distance", "Greatest distance"],
    lines: () => [...new Set(group)].sort((a, b) => a - b).map((one) => {
      const mine = typical.filter((_, i) => group[i] === one).filter(isNumber).sort((a, b) => a - b);
      return [one, nameNode(one), group.filter((other) => other === one).length, mine[Math.floor(mine.length / 2)] ?? "–", mine.at(-1) ?? "–"];
    }),
  });
}

// Stretches of equal items: the item, where it begins, where it ends.
function runsOf(items) {
  const runs = [];
  for (let start = 0, i = 1; i <= items.length; i++) {
    if (i < items.length && items[i] === items[start]) continue;
    runs.push([items[start], start, i]);
    start = i;
  }
  return runs;
}

function cellsView({ columns, across, up, x, y, rows: sizes, group, left_out: more }) {
  const most = Math.log1p(Math.max(...sizes));
  const draw = (width) => {
    const [from, to] = [30, Math.min(width - 10, 680)];
    const side = (to - from) / across;
    const tall = Math.min(side * up, 520) / up;
    const bottom = 20 + tall * up;
    return drawing(
      width,
      bottom + 30,
      svg("rect", { x: from, y: 20, width: to - from, height: tall * up, class: "ground" }),
      sizes.map((size, i) => svg("rect", { x: (from + x[i] * side).toFixed(1), y: (bottom - (y[i] + 1) * tall).toFixed(1), width: side.toFixed(2), height: tall.toFixed(2), fill: colorOf(group[i]), "fill-opacity": (0.25 + (0.75 * Math.log1p(size)) / most).toFixed(2), "data-group": group[i], class: "shape" }, hint(`${rows(size)}, ${group[i] === NOISE ? "no group" : `group ${group[i]}`}`))),
      placesOf(group, x, y, sizes).map(([cluster, column, line]) => sign(cluster, from + (column + 0.5) * side, bottom - (line + 0.5) * tall)),
      words(from, 13, `↑ ${columns[1]}`, { class: "axis-name" }),
      words(to, bottom + 20, `${columns[0]} →`, { class: "axis-name", "text-anchor": "end" }),
    );
  };
  return view({
    id: "cells",
    title: "The cells of the grid",
    lead: `Rows were counted in ${count(across)} by ${count(up)} cells of ${columns[0]} and ${columns[1]}; dense cells that touch are a group. The stronger the colour, the more rows.${more > 0 ? ` The ${count(more)} emptiest cells are not drawn.` : ""}`,
    label: `Grid of ${count(across)} by ${count(up)} cells, ${count(sizes.length)} of them occupied`,
    draw,
    heads: ["Group", "Name", "Cells", "Rows"],
    lines: () => [...new Set(group)].sort((a, b) => a - b).map((one) => [one, nameNode(one), group.filter((other) => other === one).length, sizes.reduce((sum, size, i) => sum + (group[i] === one ? size : 0), 0)]),
  });
}

// The fullest cell of each group.
function placesOf(group, x, y, sizes) {
  const best = new Map();
  group.forEach((one, i) => { if (one !== NOISE && !(sizes[best.get(one)] >= sizes[i])) best.set(one, i); });
  return [...best].map(([one, i]) => [one, x[i], y[i]]);
}

function subspacesView({ found, left_out: more }) {
  const lines = found.map((one) => el(
    "tr",
    {},
    rowHead(one.group === null ? soft("in groups above") : el("span", { class: "named" }, badge(one.group), nameNode(one.group))),
    el("td", {}, one.columns.join(", ")),
    figureCell(count(one.rows)),
    figureCell(count(one.cells)),
  ));
  return el(
    "figure",
    { class: "view", id: "view-subspaces" },
    el("header", { class: "view-head" }, el("h3", {}, "In which columns groups are dense")),
    el("p", { class: "lead" }, `Each line is a set of dense cells that touch, in the columns named; a row belongs to the first that holds it.${more > 0 ? ` ${count(more)} further ones are not listed.` : ""}`),
    plainTable("In which columns groups are dense", ["Group", "Dense in", "Rows", "Cells"], lines),
  );
}

function viewsSection() {
  const shapes = record.shapes || {};
  const made = [["silhouettes", silhouetteView], ["dendrogram", dendrogramView], ["condensed_tree", condensedView], ["reachability", reachabilityView], ["cells", cellsView], ["subspaces", subspacesView]];
  const views = made.filter(([name]) => shapes[name]).map(([name, make]) => make(shapes[name]));
  return views.length > 0 && section("views", "Inside the groups", "How firm the groups are, and how the method came to them. Click a group in any picture to pick it out everywhere.", views);
}
