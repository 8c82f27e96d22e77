// Finding a group by its name, and a row by its number, its id or one of its values.

const MOST_FOUND = 12;

function searchBox(things) {
  const held = Object.keys(sampleRows).length;
  const field = el("input", { type: "search", id: "map-search", class: "search", autocomplete: "off", spellcheck: "false", placeholder: `Group, row number${known(idColumn) ? ", id" : ""} or value` });
  const said = el("p", { class: "soft search-said", "aria-live": "polite" });
  const hits = el("ul", { class: "search-hits" });
  const search = () => {
    const wanted = field.value.trim();
    const found = wanted ? [...groupsCalled(wanted), ...rowsLike(wanted)] : [];
    hits.replaceChildren(...found.slice(0, MOST_FOUND).map(([act, ...shown]) => el("li", {}, el("button", { type: "button", class: "hit", on: { click: act } }, shown))));
    const limits = record.map.n_total > held ? `; the page holds the values of ${count(held)} of ${count(record.map.n_total)} ${things}` : "";
    said.textContent = !wanted ? "" : found.length === 0 ? `Nothing found${limits}.` : found.length > MOST_FOUND ? `The first ${MOST_FOUND} of ${count(found.length)}.` : "";
  };
  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && hits.firstChild) hits.firstChild.firstChild.click();
    if (event.key === "Escape") { field.value = ""; search(); }
  });
  return el("div", { class: "finder", role: "search" }, el("label", { class: "unseen", for: "map-search" }, `Find a group or ${things}`), field, said, hits);
}

const folding = (value) => text(value).toLocaleLowerCase();

function groupsCalled(wanted) {
  const plain = folding(wanted);
  const called = clusters.filter((one) => folding(nameOf(one.id)).includes(plain) || String(one.id) === plain);
  return called.map(({ id }) => [() => { if (picked.value !== id) pick(id); }, badge(id), el("bdi", {}, nameOf(id))]);
}

// Of each row what shows it: a row by its number first, then by its id, then by a value.
function rowsLike(wanted) {
  const plain = folding(wanted);
  const found = new Map();
  const add = (row, ...shown) => { if (!found.has(row) && found.size < 1000) found.set(row, [() => showRow(row), soft(`row ${row} `), ...shown]); };
  if (/^\d{1,10}$/.test(wanted) && page.drawn && indexOfRow(page.drawn.points, Number(wanted)) >= 0) add(Number(wanted));
  const exact = idsOfRows.findIndex((id) => folding(id) === plain);
  if (exact >= 0) add(exact, el("bdi", {}, text(idsOfRows[exact])));
  idsOfRows.forEach((id, row) => { if (folding(id).includes(plain)) add(row, el("bdi", {}, clip(id, 60))); });
  for (const [row, values] of Object.entries(sampleRows)) {
    const hit = Object.entries(values).find(([name, value]) => known(value) && folding(isNumber(value) ? number(value, name) : value).includes(plain));
    if (hit) add(Number(row), `${clip(hit[0], 40)}: `, el("bdi", {}, clip(number(hit[1], hit[0]), 60)));
  }
  return [...found.values()];
}
