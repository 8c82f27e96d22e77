// The columns of the table: which ones rows are compared by, and as what. Only what differs from what was found is kept.

const MOST_COLUMNS = 200;
const ROLE_WORDS = { id: "identifier", ignored: "left out", constant: "one value" };

function columnList(columns, { roles, used_roles: used }) {
  const changed = new Map();
  const found = new Map(columns.map((column) => [column.name, column]));
  const roleOf = (column) => changed.get(column.name) || column.role;
  // Dates are used only when somebody asks for them, though their role says they could be.
  const isUsed = (column) => (changed.has(column.name) ? used.includes(changed.get(column.name)) : column.used);
  const asUsed = (column) => (used.includes(column.role) ? column.role : { number: "number", date: "date" }[column.kind] || "category");

  const title = el("summary", {});
  const filter = el("input", { type: "search", id: "filter", placeholder: "Find a column", "aria-label": "Find a column", on: { input: draw } });
  const tool = (words, change) => el("button", { type: "button", class: "quiet", on: { click: () => { fitting().forEach(([, column]) => change(column)); draw(); } } }, words);
  const tools = el("div", { class: "line" }, tool("Use all of these", (column) => isUsed(column) || set(column, asUsed(column))), tool("Use none of these", (column) => isUsed(column) && set(column, "ignored")));
  const box = el("ul", { class: "columns" });
  const rest = el("p", { class: "hint", hidden: true });

  function set(column, role) {
    if (role === column.role && used.includes(role) === column.used) changed.delete(column.name);
    else changed.set(column.name, role);
    head();
  }

  function head() {
    title.textContent = `Columns: ${count(columns.filter(isUsed).length)} of ${count(columns.length)} used`;
  }

  function line(column, i) {
    const check = el("input", { type: "checkbox", id: `column-${i}`, checked: isUsed(column) });
    const names = roles.includes(column.role) ? roles : [column.role, ...roles];
    const role = el("select", { "aria-label": `What ${column.name} is` }, names.map((name) => el("option", { value: name, disabled: !roles.includes(name) }, ROLE_WORDS[name] || name)));
    role.value = roleOf(column);
    check.addEventListener("change", () => {
      set(column, check.checked ? asUsed(column) : "ignored");
      role.value = roleOf(column);
    });
    role.addEventListener("change", () => {
      set(column, role.value);
      check.checked = isUsed(column);
    });
    return el("li", {}, check, el("label", { for: `column-${i}` }, clip(column.name, 80)), role, el("p", { class: "hint" }, sentence(column.why)));
  }

  // With their places in the table.
  function fitting() {
    const wanted = filter.value.trim().toLowerCase();
    return [...columns.entries()].filter(([, column]) => column.name.toLowerCase().includes(wanted));
  }

  function draw() {
    const shown = fitting();
    box.replaceChildren(...shown.slice(0, MOST_COLUMNS).map(([i, column]) => line(column, i)));
    const more = shown.length - MOST_COLUMNS;
    rest.hidden = more <= 0;
    rest.textContent = `${count(more)} more: find them by name.`;
    head();
  }

  filter.hidden = tools.hidden = columns.length < 12;
  draw();
  return {
    node: el("details", { class: "fold", open: columns.length <= 30 }, title, filter, tools, box, rest),
    roles: () => Object.fromEntries(changed),
    fill(given) {
      changed.clear();
      for (const [name, role] of Object.entries(given)) if (found.has(name)) changed.set(name, role);
      draw();
    },
  };
}
