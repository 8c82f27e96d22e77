// The settings of a run as controls.

function field(id, label, control, hint) {
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  if (hint) hint.id = `${id}-hint`;
  return el("div", { class: "field" }, el("label", { for: id }, label), control, hint);
}

function choice(options) {
  return el("select", {}, options.map(([value, words]) => el("option", { value }, words)));
}

// A choice whose meaning stands below it.
function explainedChoice(id, label, options, titleOf) {
  const control = choice(options.map((option) => [option.name, titleOf(option)]));
  const hint = el("p", { class: "hint" });
  const explain = () => { hint.textContent = sentence(options.find((option) => option.name === control.value).words); };
  control.addEventListener("change", explain);
  return { control, explain, node: field(id, label, control, hint) };
}

function controlsOf(about, run) {
  const { choices } = about;
  const purpose = explainedChoice("purpose", "What the groups are for", choices.purposes, (one) => PURPOSE_WORDS[one.name] || one.name);
  const method = explainedChoice("method", "Method", choices.methods, (one) => (one.name === "auto" ? "Choose for me" : one.name));
  const groups = el("input", { type: "number", min: "1", max: "100000", step: "1", placeholder: "chosen" });
  const share = el("input", { type: "number", min: "0", max: "100", step: "any", placeholder: "chosen" });
  const truth = choice([["", "none"], ...about.columns.map((column) => [column.name, clip(column.name, 60)])]);
  const seed = el("input", { type: "number", min: "0", max: "4294967295", step: "1", required: true });
  const columns = columnList(about.columns, choices);
  const number = (control) => (control.value === "" ? null : Number(control.value));

  const form = el(
    "form",
    { class: "controls", id: "controls", "aria-label": "Settings of a run", on: { submit: (event) => { event.preventDefault(); run(read()); } } },
    purpose.node,
    method.node,
    el(
      "div",
      { class: "pair" },
      field("groups", "Number of groups", groups),
      field("share", "Smallest group, %", share),
    ),
    columns.node,
    el(
      "details",
      { class: "fold" },
      el("summary", {}, "More settings"),
      field("truth", "Known groups", truth, el("p", { class: "hint" }, "A column to compare the result with. It is never used to find the groups.")),
      field("seed", "Seed", seed, el("p", { class: "hint" }, "The same seed gives the same result.")),
    ),
  );

  function read() {
    const percents = number(share);
    return {
      purpose: purpose.control.value,
      method: method.control.value,
      clusters: number(groups),
      min_share: percents === null ? null : percents / 100,
      seed: number(seed),
      truth: truth.value || null,
      roles: columns.roles(),
    };
  }

  function fill(settings) {
    purpose.control.value = settings.purpose;
    method.control.value = settings.method;
    groups.value = settings.clusters ?? "";
    share.value = settings.min_share === null ? "" : String(Number((100 * settings.min_share).toPrecision(12)));
    seed.value = settings.seed;
    truth.value = settings.truth || "";
    columns.fill(settings.roles);
    purpose.explain();
    method.explain();
  }

  fill(about.standard);
  return { node: form, button: el("button", { type: "submit", form: "controls", class: "main-button" }, "Run"), fill };
}

const PURPOSE_WORDS = { natural: "Natural types", reduce: "Fewer rows that stand for all", useful: "A few groups to act on", outliers: "Unusual rows" };
