// Small charts made of positioned boxes: a typical value here and elsewhere on the column's own scale.

const columnScales = new Map();

// What the record says about a typical value may be a bare median or an object with quartiles.
function typical(value) {
  if (value === null || value === undefined) return null;
  if (typeof value !== "object") return { median: value };
  if (Array.isArray(value)) return { top: value };
  return "median" in value || !("mean" in value) ? value : { ...value, median: value.mean };
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
    const given = typical(value) || {};
    for (const part of [given.median, given.q25, given.q75].map(toNumber).filter(isNumber)) {
      low = Math.min(low, part);
      high = Math.max(high, part);
    }
  };
  for (const line of list((record.profile || {}).columns)) {
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

// A line for the whole column, a band for the middle half, a filled dot for this group, a ring for the other rows.
function rangeChart(feature, color) {
  const scale = scaleOf(feature.column);
  const here = typical(feature.here);
  const elsewhere = typical(feature.elsewhere);
  const mid = here && toNumber(here.median);
  const other = elsewhere && toNumber(elsewhere.median);
  if (!scale || !isNumber(mid)) return el("span", { class: "range" });
  const chart = el("span", { class: "range", role: "img", "aria-label": `${valueText(feature, here)} here, ${valueText(feature, elsewhere)} elsewhere` });
  chart.append(el("span", { class: "range-line" }));
  const band = (given, className, fill) => {
    const [from, to] = [given.q25, given.q75].map(toNumber);
    if (!isNumber(from) || !isNumber(to)) return;
    const left = scale.place(from);
    chart.append(el("span", { class: className, style: { left: across(left), width: across(Math.max(scale.place(to) - left, 0.005)), "background-color": fill } }));
  };
  if (elsewhere) band(elsewhere, "range-band others", null);
  band(here, "range-band", color);
  if (isNumber(other)) {
    const [a, b] = [scale.place(mid), scale.place(other)].sort((one, two) => one - two);
    chart.append(el("span", { class: "range-link", style: { left: across(a), width: across(b - a), "background-color": color } }));
    chart.append(el("span", { class: "range-ring", style: { left: across(scale.place(other)) } }));
  }
  chart.append(el("span", { class: "range-dot", style: { left: across(scale.place(mid)), "background-color": color } }));
  return chart;
}

// Shares of one answer: a bar for this group, a ring for the other rows.
function shareChart(feature, color) {
  const here = shareIn(feature.here);
  const elsewhere = shareIn(feature.elsewhere);
  const chart = el("span", { class: "range", role: "img", "aria-label": `${percent(here)} here, ${percent(elsewhere)} elsewhere` });
  chart.append(el("span", { class: "range-line" }));
  if (isNumber(here) && isNumber(elsewhere)) {
    const [a, b] = [here, elsewhere].sort((one, two) => one - two);
    chart.append(el("span", { class: "range-link", style: { left: across(a), width: across(b - a), "background-color": color } }));
  }
  if (isNumber(elsewhere)) chart.append(el("span", { class: "range-ring", style: { left: across(elsewhere) } }));
  if (isNumber(here)) chart.append(el("span", { class: "range-dot", style: { left: across(here), "background-color": color } }));
  return chart;
}

function shareIn(value) {
  if (isNumber(value)) return value;
  return value && isNumber(value.share) ? value.share : null;
}

function levelOf(feature) {
  const given = [feature.level, (feature.here || {}).value, (feature.here || {}).level].find(known);
  return known(given) ? text(given) : "";
}

function valueText(feature, value) {
  if (value === null) return "–";
  const median = isNumber(value.median) && Math.abs(value.median) < 1000 ? short.format(value.median) : number(value.median, feature.column);
  return known(feature.unit) && isNumber(value.median) && !feature.column.includes(feature.unit) ? `${median} ${feature.unit}` : median;
}

function featureRow(feature, color) {
  const isCategory = feature.kind === "category";
  const level = isCategory ? levelOf(feature) : "";
  const here = isCategory ? percent(shareIn(feature.here)) : valueText(feature, typical(feature.here));
  const elsewhere = isCategory ? percent(shareIn(feature.elsewhere)) : valueText(feature, typical(feature.elsewhere));
  return el(
    "li",
    { class: "feature", title: feature.text },
    el("span", { class: "feature-name" }, feature.column, level && el("span", { class: "soft" }, ` is ${level}`)),
    isCategory ? shareChart(feature, color) : rangeChart(feature, color),
    el("span", { class: "feature-values" }, el("b", {}, here), el("span", { class: "soft" }, " / ", elsewhere)),
  );
}
