// A table whose cells are shaded by their value; the value stands in each, so that the shade is never the only sign.

const STRONGEST = 0.45;

function heatView(part, id) {
  const values = part.values.flat().filter(isNumber);
  const said = shownIn(part, values);
  const shade = shadeIn(part.scale, values);
  const corner = [part.row_label, part.column_label].filter(known).join(" ↓ · ") + (known(part.column_label) ? " →" : "");
  const heads = [corner || "Name", ...part.columns].map((name, i) => el("th", { scope: "col", class: i ? "number" : null }, el("bdi", {}, clip(name, 60))));
  const lines = part.rows.map((name, i) => el(
    "tr",
    {},
    rowHead(el("bdi", {}, clip(name, 80))),
    part.values[i].map((value) => el("td", { class: "number heat-cell", style: { "background-color": shade(value) } }, isNumber(value) ? said(value) : soft("–"))),
  ));
  const save = () => download(fileName(id, "csv"), csvOf([[part.row_label || "", ...part.columns], ...part.rows.map((name, i) => [name, ...part.values[i]])]), "text/csv");
  const help = part.scale === "diverging" ? "Blue is above 0, orange below; the stronger, the further." : "The stronger the colour, the higher.";
  return el(
    "figure",
    { class: "view", id: `view-${id}` },
    el("header", { class: "view-head" }, el("span", { class: "soft" }, values.length > 0 && help), el("span", { class: "view-tools" }, saveButton("CSV", `Save as a table: ${part.title}`, save))),
    framed(`${part.title}, as a table`, heads, el("tbody", {}, lines), `heat${part.columns.length > 12 ? " dense" : ""}`),
  );
}

// The colour of a value: from none to strong between the lowest and the highest, or away from 0 to either side.
function shadeIn(scale, values) {
  const [low, high] = [firstOf(values), lastOf(values)];
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return (value) => {
    if (!isNumber(value)) return "transparent";
    const strength = scale === "diverging" ? Math.abs(value) / most : high > low ? (value - low) / (high - low) : 0;
    return `rgb(var(--${scale === "diverging" && value < 0 ? "down" : "up"}), ${(STRONGEST * strength).toFixed(3)})`;
  };
}
