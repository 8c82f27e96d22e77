// A table that sorts by any column and is searched as one types; of many lines the first are shown until more are asked for.

const FIRST_OF_TABLE = 15;
const SEARCHED_FROM = 8;

const isFigure = ({ format: form }) => ["number", "integer", "percent", "money", "seconds"].includes(form || "number");

function cellOfTable(value, column, said) {
  if (column.format === "group" && isNumber(value)) return el("td", {}, el("span", { class: "named" }, badge(value), nameNode(value, 60)));
  if (isNumber(value)) return figureCell(said(value));
  if (!known(value)) return el("td", { class: isFigure(column) ? "number" : null }, soft("–"));
  const isMoment = /^\d{4}-\d\d\S{0,8}$/.test(text(value));
  return el("td", { class: text(value).length > 40 ? "why" : isMoment ? "moment" : null }, el("bdi", {}, clip(value, 300)));
}

function tableView(part, id) {
  const columns = part.columns.map((column, i) => ({ title: column.label || column.name, numeric: isFigure(column) && part.rows.every((row) => row[i] === null || isNumber(row[i])) }));
  const said = part.columns.map((column, i) => shownIn(column, part.rows.map((row) => row[i])));
  const lines = part.rows.map((row) => ({
    keys: row,
    said: row.map((value, i) => `${known(value) ? text(value) : ""} ${shown(value, part.columns[i].format, part.columns[i].unit)}`).join("\n").toLowerCase(),
    node: el("tr", {}, row.map((value, i) => cellOfTable(value, part.columns[i], said[i]))),
  }));
  const state = { wanted: "", most: FIRST_OF_TABLE };
  const note = el("p", { class: "soft", role: "status" });
  const more = el("button", { type: "button", class: "more", on: { click: () => { state.most = Infinity; again(); } } });
  const chosenLines = (all) => {
    const hits = state.wanted ? all.filter((line) => line.said.includes(state.wanted)) : all;
    const cut = hits.slice(0, state.most);
    note.textContent = noteOf(part, hits.length, state.wanted);
    more.hidden = cut.length === hits.length;
    more.textContent = `Show the other ${count(hits.length - cut.length)}`;
    return cut;
  };
  const table = sortable(`${part.title}, as a table`, columns, lines, part.columns.map((column) => column.label || column.name), chosenLines);
  const again = () => table.querySelector("tbody").dispatchEvent(new Event("coterie:again"));
  const search = part.rows.length >= SEARCHED_FROM && searchOf(id, part, (wanted) => { state.wanted = wanted; again(); });
  // A short table that is all there needs no words about it.
  const whole = !search && part.rows.length > 0 && !(part.total > part.rows.length);
  return el("div", { class: "sheet-table" }, search, !whole && note, table, more, helpOf(part));
}

function searchOf(id, part, act) {
  const field = el("input", { type: "search", id: `${id}-search`, class: "search", autocomplete: "off", spellcheck: "false", placeholder: "Search", "aria-label": `Search in: ${part.title}; the table changes as you type`, on: { input: () => act(field.value.trim().toLowerCase()) } });
  return el("div", { class: "finder" }, field);
}

function noteOf({ rows: all, total, file }, hits, wanted) {
  if (wanted) return hits ? `${count(hits)} of ${rowsHere(all.length)} ${hits === 1 ? "holds" : "hold"} what you typed.` : `None of ${rowsHere(all.length)} holds what you typed.`;
  if (isNumber(total) && total > all.length) return `The first ${count(all.length)} of ${rows(total)}${known(file) ? `; ${file} holds all` : ""}.`;
  return all.length ? `${rows(all.length)}.` : "There are none.";
}

const rowsHere = (n) => `the ${rows(n)} here`;

// What the columns mean, for those that say so.
function helpOf({ columns }) {
  const helped = columns.filter((column) => known(column.help));
  return helped.length > 0 && el("details", {}, el("summary", {}, "What the columns mean"), factList(helped.map((column) => [column.label || column.name, column.help])));
}
