// Trees of groups: the last merges of a hierarchy, and where HDBSCAN's groups split off.

function dendrogramView({ leaves, merges, cut, height: meaning, all_merges: whole }) {
  const top = Math.max(...merges.map((one) => one.height ?? 0)) || 1;
  const shown = [...new Set(leaves.map((leaf) => leaf.group))].length;
  const draw = (width) => {
    const [from, to, bottom] = [56, width - 10, 300];
    const slot = (to - from) / leaves.length;
    const y = linear(0, top, bottom, 26);
    const places = leaves.map((_, i) => ({ x: from + (i + 0.5) * slot, y: bottom }));
    const lines = merges.map((one) => {
      const [a, b] = [places[one.left], places[one.right]];
      const at = y(one.height ?? 0);
      places.push({ x: (a.x + b.x) / 2, y: at });
      const color = one.group === null ? {} : { stroke: colorOf(one.group), "data-group": one.group };
      return svg("path", { d: `M${a.x.toFixed(1)} ${a.y.toFixed(1)}V${at.toFixed(1)}H${b.x.toFixed(1)}V${b.y.toFixed(1)}`, class: "branch", ...color }, hint(`Merge at ${number(one.height)}${one.group === null ? "" : `, all in group ${one.group}`}`));
    });
    const feet = leaves.map((leaf, i) => svg(
      "rect",
      { x: from + i * slot + 0.5, y: bottom, width: Math.max(slot - 1, 0.5), height: 12, fill: colorOf(leaf.group), "data-group": leaf.group, class: "shape" },
      hint(`${rows(leaf.rows)}, ${percent(leaf.share)} of them in ${leaf.group === NOISE ? "no group" : `group ${leaf.group}`}`),
    ));
    return drawing(
      width,
      bottom + 46,
      axisLeft(y, ticksOf(0, top, 5), from, to, clip(meaning, Math.floor(width / 7))),
      lines,
      feet,
      signsBelow(leaves.map((leaf) => leaf.group), from, slot, bottom + 28),
      isNumber(cut) && [svg("line", { x1: from, x2: to, y1: y(cut), y2: y(cut), class: "mark-line" }), words(to, y(cut) - 5, "cut here", { class: "mark-words", "text-anchor": "end" })],
    );
  };
  const last = merges.length < whole ? `The last ${count(merges.length)} of ${count(whole)} merges` : `All ${count(whole)} merges`;
  return view({
    id: "dendrogram",
    title: "How the groups come together",
    lead: `${last}, from many small parts at the foot to all rows at the top. The longer the lines below a merge, the further apart are the parts that it joins.`,
    label: `Tree of ${count(merges.length)} merges of ${count(leaves.length)} parts in ${count(shown)} groups, up to a height of ${number(top)}${isNumber(cut) ? `; cut at ${number(cut)}` : ""}`,
    draw,
    heads: ["Merge", `Height (${meaning})`, "Rows", "Group"],
    lines: () => {
      const sizes = leaves.map((leaf) => leaf.rows);
      return merges.map((one, i) => {
        sizes.push(sizes[one.left] + sizes[one.right]);
        return [i + 1, one.height, sizes.at(-1), one.group === null ? "several" : one.group];
      });
    },
  });
}

// The sign of each group below the widest stretch that it takes of a row of parts, where there is room.
function signsBelow(groups, from, slot, y) {
  const widest = new Map();
  for (let start = 0, i = 1; i <= groups.length; i++) {
    if (i < groups.length && groups[i] === groups[start]) continue;
    const [a, b] = widest.get(groups[start]) || [0, 0];
    if (i - start > b - a) widest.set(groups[start], [start, i]);
    start = i;
  }
  let right = -Infinity;
  return [...widest].filter(([group]) => group !== NOISE).sort((a, b) => a[1][0] - b[1][0]).map(([group, [a, b]]) => {
    const x = from + ((a + b) / 2) * slot;
    if (x - 12 < right) return null;
    right = x + 12;
    return sign(group, x, y);
  });
}

// Each cluster is as wide as it has rows, from the distance at which it splits off down to that at which its last rows part.
function condensedView({ clusters: parts, left_out: more }) {
  const distances = parts.flatMap((one) => [one.birth, ...one.steps.distance]).filter((value) => value > 0);
  const [least, most] = [Math.min(...distances), Math.max(...distances) * 1.08];
  const draw = (width) => {
    const [from, to, bottom] = [56, width - 10, 380];
    const y = linear(Math.log(least), Math.log(most), bottom, 26);
    const depth = (value) => y(Math.log(Math.max(value ?? least, least)));
    const spans = spansOf(parts, from, to);
    const shapes = parts.map((one, i) => {
      const [a, b] = spans[i];
      const group = one.group === null ? {} : { fill: colorOf(one.group), "data-group": one.group };
      return svg("path", { d: outline(one, (a + b) / 2, (b - a) / one.rows, depth, one.birth === null ? depth(most) : depth(one.birth)), class: one.group === null ? "stem" : "shape", ...group }, hint(`${rows(one.rows)}${one.birth === null ? "" : `, split off at ${number(one.birth)}`}${one.group === null ? "" : `: group ${one.group}, ${nameOf(one.group)}`}`));
    });
    const signs = parts.map((one, i) => one.group !== null && sign(one.group, Math.min(to - 11, Math.max(from + 11, (spans[i][0] + spans[i][1]) / 2)), depth(one.birth ?? most) + 14));
    return drawing(width, bottom + 12, axisLeft((tick) => y(Math.log(tick)), logTicks(least, most), from, to, "distance within which rows hold together"), shapes, signs);
  };
  const grouped = parts.filter((one) => one.group !== null);
  return view({
    id: "condensed-tree",
    title: "Where groups split off",
    lead: `From top to bottom the distance shrinks within which rows must lie to hold together. A column narrows as it loses rows and forks where it falls into parts; columns with a number are the groups. Long, broad columns are the clearest groups.${more > 0 ? ` ${count(more)} small further parts are not drawn.` : ""}`,
    label: `Tree of ${count(parts.length)} parts, ${count(grouped.length)} of them groups, over distances from ${number(most)} down to ${number(least)}`,
    draw,
    heads: ["Part", "Splits from", "At distance", "Rows then", "Group"],
    lines: () => parts.map((one, i) => [i, one.parent, one.birth, one.rows, one.group === null ? "–" : one.group]),
  });
}

// Where each part lies: side by side below its parent, in the middle of it, in proportion to its rows.
function spansOf(parts, from, to) {
  const spans = parts.map(() => [from, to]);
  parts.forEach((one, i) => {
    const children = parts.map((_, j) => j).filter((j) => parts[j].parent === i);
    const together = children.reduce((sum, j) => sum + parts[j].rows, 0);
    const [a, b] = spans[i];
    const scale = (b - a) / Math.max(one.rows, together, 1);
    const gap = Math.min(14, ((b - a) - together * scale) / Math.max(children.length - 1, 1));
    let at = (a + b) / 2 - (together * scale + gap * Math.max(children.length - 1, 0)) / 2;
    for (const j of children) {
      spans[j] = [at, at + parts[j].rows * scale];
      at += parts[j].rows * scale + gap;
    }
  });
  return spans;
}

function outline(one, middle, scale, depth, top) {
  const right = [];
  let [at, width] = [top, Math.max(one.rows * scale, 1)];
  right.push([middle + width / 2, at]);
  one.steps.distance.forEach((distance, i) => {
    at = depth(distance);
    right.push([middle + width / 2, at]);
    width = Math.max(one.steps.left[i] * scale, one.steps.left[i] > 0 ? 1 : 0);
    right.push([middle + width / 2, at]);
  });
  const left = right.map(([x, y]) => [2 * middle - x, y]).reverse();
  return `M${[...right, ...left].map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}Z`;
}

function logTicks(low, high) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) for (const times of [1, 2, 5]) all.push(Number((times * 10 ** power).toPrecision(3)));
  const inside = all.filter((tick) => tick >= low && tick <= high);
  return inside.filter((_, i) => i % Math.ceil(inside.length / 8) === 0);
}
