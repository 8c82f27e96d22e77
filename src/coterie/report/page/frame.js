// What all pages have: the answer at the head, everything in one bar, a legend, the contents, a foot. The words are the page's own.

// Whether this page has a map of its rows, the map once it is drawn, and what draws it.
const page = { map: Boolean((record.map || {}).n_shown), drawn: null, start: null };

// How many were found; `nothing` where the record holds none.
function foundWords(found, nothing) {
  if (record.title) return record.title;
  if (!clusters.length) return nothing;
  if (record.structure.verdict === "none") return `No clear ${nouns}`;
  return found === 1 ? `One ${noun}` : `${count(found)} ${nouns}`;
}

function banner(title, advice) {
  return el("div", { class: "banner", role: "note" }, el("b", {}, title), el("p", {}, sentence(record.structure.sentence), " ", advice));
}

// Values with their words; false stands for one that isn't known.
function figures(...lines) {
  return el("dl", { class: "figures" }, lines.filter(Boolean).map(([value, words]) => el("div", {}, el("dd", {}, value), el("dt", {}, words))));
}

// All in one bar, cut in parts of a number and a share each; `rest` is what is too thin to be seen.
function composition(parts, rest) {
  if (clusters.length < 2) return null;
  return el("div", { class: "composition", role: "group", "aria-label": `Share of each ${noun}; click one to pick it out` }, parts.map(partOfAll), rest);
}

function partOfAll([id, share]) {
  const sign = id !== NOISE ? String(id) : share > 0.06 ? "none" : "–";
  const button = pickButton(id, "part", share > 0.03 && el("span", { "aria-hidden": "true" }, sign));
  const color = colorOf(id);
  button.style.setProperty("flex-grow", String(Math.max(share, 0.003)));
  button.style.setProperty("background-color", color);
  button.style.setProperty("color", inkOn(color));
  withNames(() => {
    button.title = `${nameOf(id)}: ${percent(share)}`;
    button.setAttribute("aria-label", `${id === NOISE ? "" : `${titled(noun)} ${id}, `}${nameOf(id)}, ${percent(share)}`);
  });
  return button;
}

function cautions() {
  const lines = list(record.warnings).map(({ text: words, remedy }) => el("li", {}, el("b", {}, sentence(words)), known(remedy) && el("span", {}, ` ${sentence(remedy)}`)));
  return lines.length > 0 && el("div", { class: "cautions" }, el("h2", {}, "Before you rely on this"), el("ul", { class: "warnings" }, lines));
}

// `parts` are what doubts, figures and bar the page has.
function masthead(overline, title, ...parts) {
  const made = text(record.created || "").slice(0, 10);
  return el(
    "header",
    { class: "masthead" },
    el("p", { class: "overline" }, [...overline, made].filter(known).join(" · ")),
    el("h1", {}, title),
    el("p", { class: "answer" }, [record.answer].flat().join(" ")),
    parts,
    cautions(),
  );
}

// Of each part its number, its share and its size in words.
function legend(parts) {
  const all = el("button", { type: "button", class: "quiet", disabled: true, on: { click: () => pick(picked.value) } }, "Show all");
  onPick((value) => { all.disabled = value === null; });
  const entry = ([id, share, size]) => el("li", {}, pickButton(id, "legend-entry", badge(id), el("span", { class: "legend-name" }, nameNode(id)), el("span", { class: "soft legend-size" }, `${size} · ${percent(share)}`)));
  return el(
    "div",
    { class: "legend" },
    el("div", { class: "legend-head" }, el("h3", {}, titled(nouns)), all),
    el("ul", { tabindex: clusters.length > 12 ? "0" : null }, parts.map(entry)),
  );
}

function contents(parts) {
  return el("nav", { "aria-label": "On this page" }, themeButton(), el("ul", {}, parts.map((part) => el("li", {}, el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)))));
}

function footer(next) {
  const files = Object.entries(record.files || {}).filter(([role]) => role !== "report").map(([, name]) => name);
  return el(
    "footer",
    {},
    files.length > 0 && el("p", {}, "In the same folder: ", files.join(", "), "."),
    next.length > 0 && el("p", {}, "Next: ", next.map((line, i) => [i > 0 && " or ", el("code", {}, line)])),
    el("p", { class: "soft" }, `Made by coterie ${record.coterie || ""}. This page works offline and sends nothing anywhere.`),
  );
}

function ready() {
  document.documentElement.dataset.ready = "yes";
}

// Paper shows everything: what is folded opens, and folds again afterwards; but not what a picture says already.
function unfoldOnPaper() {
  const each = (event, which, act) => addEventListener(event, () => document.querySelectorAll(which).forEach(act));
  each("beforeprint", "details:not([open], .by-hand)", (one) => { one.open = true; one.dataset.folded = "yes"; });
  each("afterprint", "details[data-folded]", (one) => { one.open = false; delete one.dataset.folded; });
}

// The page from its head, its sections (null where there is nothing to show) and the steps that come next.
function show(head, sections, next) {
  const parts = sections.filter(Boolean);
  document.body.append(
    el("a", { class: "skip", href: "#content" }, `Skip to the ${nouns}`),
    el("main", { id: "content" }, head, contents(parts), parts),
    footer(next),
  );
  unfoldOnPaper();
  (page.start || ready)();
}
