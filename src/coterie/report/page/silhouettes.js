// Silhouettes, group by group: a bar for each row, as long as the row is nearer to its own group than to the next one.

function silhouetteView({ rows: looked, exact: all, mean, groups }) {
  const low = Math.min(0, ...groups.flatMap((one) => one.values));
  const left = low < 0 ? Math.min(-0.1, Math.floor(low * 10) / 10) : 0;
  const total = groups.reduce((sum, one) => sum + one.size, 0);
  const draw = (width) => {
    const [from, to] = [width > 620 ? Math.min(260, width * 0.3) : 34, width - 12];
    const x = linear(left, 1, from, to);
    const room = Math.max(320, 24 * groups.length);
    let y = 8;
    const parts = groups.map((one) => {
      const size = Math.max(22, (room * one.size) / total);
      const top = y;
      y += size + 5;
      return silhouetteOf(one, x, top, size, from);
    });
    const bottom = y;
    return drawing(
      width,
      bottom + 42,
      axisBelow(x, ticksOf(left, 1, width > 500 ? 8 : 4), 4, bottom, width > 620 ? "silhouette: 1 well inside its group, 0 between two, below 0 nearer to another" : "silhouette", (from + to) / 2),
      parts,
      svg("line", { x1: x(mean), x2: x(mean), y1: 4, y2: bottom, class: "mark-line" }),
      meanWords(x(mean), bottom - 5, mean, width),
    );
  };
  const from = all ? `of all ${count(looked)} rows that have a group` : `among ${count(looked)} rows drawn at random, each compared with the others drawn`;
  const worst = groups.reduce((a, b) => (b.mean < a.mean ? b : a));
  return view({
    id: "silhouettes",
    title: "How well rows sit in their group",
    lead: `Each row is as wide as it is nearer to its own group than to the next, ${from}. A group with a blunt end is compact; rows left of 0 may belong to another.${clusters.length > groups.length ? ` The ${groups.length} largest groups are shown.` : ""}`,
    label: `Silhouettes of ${groups.length} groups, mean ${number(mean)}; lowest in group ${worst.group}, ${number(worst.mean)}`,
    draw,
    heads: ["Group", "Name", "Rows", "Rows looked at", "Mean silhouette", "Share below 0"],
    lines: () => groups.map((one) => [one.group, nameNode(one.group), one.size, one.drawn, one.mean, one.below]),
  });
}

function silhouetteOf({ group, values, mean }, x, top, size, from) {
  const height = size / values.length;
  const steps = values.map((value, i) => `L${x(value).toFixed(1)} ${(top + i * height).toFixed(1)}V${(top + (i + 1) * height).toFixed(1)}`).join("");
  const middle = top + size / 2;
  return svg(
    "g",
    {},
    svg("path", { d: `M${x(0)} ${top}${steps}L${x(0)} ${top + size}Z`, fill: colorOf(group), "data-group": group, class: "shape" }, hint(`Group ${group}, ${nameOf(group)}: mean silhouette ${number(mean)}`)),
    sign(group, 14, middle, Math.min(11, size / 2)),
    from > 60 && words(32, middle + 4, clip(nameOf(group), Math.floor((from - 40) / 7)), { class: "name-words", "data-group": group, "aria-hidden": "true" }),
  );
}

// Beside the line, on the side where there is room.
function meanWords(x, y, mean, width) {
  const left = x + 90 > width;
  return words(left ? x - 5 : x + 5, y, `mean ${short.format(mean)}`, { class: "mark-words", "text-anchor": left ? "end" : "start" });
}
