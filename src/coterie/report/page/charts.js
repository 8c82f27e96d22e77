// Small charts made of positioned boxes: a typical value here and elsewhere on the column's own scale.

const columnScales = new Map();

// What the record says about a typical value may be a bare median or an object with quartiles.
function typical(value) {
  if (!known(value)) return {};
  if (typeof value !== "object") return { median: value };
  if (Array.isArray(value)) return { top: value };
  return { median: value.mean, ...value };
}

function toNumber(value) {
  if (isNumber(value)) return value;
  if (typeof value === "string" && /^\d{4}-\d{2}/.test(value)) {
    const time = Date.parse(value);
    return Number.isNaN(time) ? null : time;
  }
  return null;
}

// The scale of a column: nearly all of its values, from the rows that the record carries and from what it says about groups.
function scaleOf(column) {
  if (columnScales.has(column)) return columnScales.get(column);
  const values = Object.values(sampleRows).map((row) => toNumber(row[column])).filter(isNumber).sort((a, b) => a - b);
  const at = (share) => values[Math.min(values.length - 1, Math.floor(share * values.length))];
  let low = values.length ? at(0.02) : Infinity;
  let high = values.length ? at(0.98) : -Infinity;
  const include = (value) => {
    const given = typical(value);
    for (const part of [given.median, given.q25, given.q75].map(toNumber).filter(isNumber)) {
      low = Math.min(low, part);
      high = Math.max(high, part);
    }
  };
  for (const line of list(profile.columns)) {
    if (line.name === column) [line.overall, ...list(line.by_cluster)].forEach(include);
  }
  for (const cluster of clusters) {
    for (const feature of list(cluster.features)) if (feature.column === column) [feature.here, feature.elsewhere].forEach(include);
  }
  const scale = high > low ? { low, high, place: (value) => Math.min(1, Math.max(0, (value - low) / (high - low))) } : null;
  columnScales.set(column, scale);
  return scale;
}

const across = (share) => `${(100 * share).toFixed(2)}%`;

function bar(share, color, label) {
  return el(
    "span",
    { class: "bar", role: "img", "aria-label": label },
    el("span", { class: "bar-fill", style: { width: across(Math.min(1, Math.max(0, share || 0))), "background-color": color } }),
  );
}

// A line for the whole scale, bands for the middle halves, a filled dot for this group, a ring for the other rows.
// Everything is placed by shares of the line: `here` and `elsewhere` hold a middle and, where known, two quartiles.
function dotChart(label, color, here, elsewhere) {
  const chart = el("span", { class: "range", role: "img", "aria-label": label }, el("span", { class: "range-line" }));
  const add = (className, left, right, fill) => {
    const style = { left: across(left), "background-color": fill || "" };
    if (isNumber(right)) style.width = across(Math.max(right - left, 0.005));
    chart.append(el("span", { class: className, style }));
  };
  for (const [place, className, fill] of [[elsewhere, "range-band others", null], [here, "range-band", color]]) {
    if (isNumber(place.from) && isNumber(place.to)) add(className, place.from, place.to, fill);
  }
  if (isNumber(here.middle) && isNumber(elsewhere.middle)) {
    add("range-link", Math.min(here.middle, elsewhere.middle), Math.max(here.middle, elsewhere.middle), color);
    add("range-ring", elsewhere.middle);
  }
  if (isNumber(here.middle)) add("range-dot", here.middle, null, color);
  return chart;
}

function rangeChart(feature, color, label) {
  const scale = scaleOf(feature.column);
  const placed = (value) => {
    const given = typical(value);
    const place = (part) => (scale && isNumber(toNumber(part)) ? scale.place(toNumber(part)) : null);
    return { middle: place(given.median), from: place(given.q25), to: place(given.q75) };
  };
  return dotChart(label, color, placed(feature.here), placed(feature.elsewhere));
}

function shareIn(value) {
  if (isNumber(value)) return value;
  return value && isNumber(value.share) ? value.share : null;
}

function levelOf(feature) {
  return text(feature.level ?? (feature.here || {}).level ?? "");
}

function valueText({ column, unit }, value) {
  const { median } = typical(value);
  const words = isNumber(median) && Math.abs(median) < 1000 ? short.format(median) : number(median, column);
  return known(unit) && isNumber(median) && !column.includes(unit) ? `${words} ${unit}` : words;
}

function featureRow(feature, color) {
  const isText = feature.kind === "text";
  const isCategory = isText || feature.kind === "category";
  const level = isCategory ? levelOf(feature) : "";
  const [here, elsewhere] = [feature.here, feature.elsewhere].map((value) => (isCategory ? percent(shareIn(value)) : valueText(feature, value)));
  const label = `${here} here, ${elsewhere} elsewhere`;
  return el(
    "li",
    { class: "feature", title: feature.text },
    el("span", { class: "feature-name" }, el("bdi", {}, feature.column), level && soft(isText ? " says “" : " is ", el("bdi", {}, level), isText && "”")),
    isCategory
      ? dotChart(label, color, { middle: shareIn(feature.here) }, { middle: shareIn(feature.elsewhere) })
      : rangeChart(feature, color, label),
    el("span", { class: "feature-values" }, el("b", {}, here), soft(" / ", elsewhere)),
  );
}
