// The page: controls on the left, and beside them the report of the run that is shown, or a comparison.

const SOON = 400;
const LATER = 3000;
const quietly = (promise) => promise.catch(() => undefined); // what went wrong has been said

function notice() {
  const words = el("p", {});
  const node = el("div", { class: "notice", role: "alert", hidden: true }, words, el("button", { type: "button", class: "quiet", on: { click: () => say("") } }, "Close"));
  const say = (sentence_, isGood = false) => {
    words.textContent = sentence(sentence_);
    node.hidden = !sentence_;
    node.classList.toggle("good", isGood);
  };
  return { node, say };
}

// What stands in the place of a report that is not there.
function emptyPlace() {
  const [title, words] = [el("h1", {}), el("p", {})];
  return {
    node: el("div", { class: "empty" }, title, words),
    show(atWork) {
      title.textContent = atWork ? `${atWork.name} is at work` : "No report to show";
      words.textContent = atWork ? "Its report appears here as soon as it is done." : "Set what you know and leave the rest as it is, then press Run. The report appears here.";
    },
  };
}

// On narrow screens the settings or the result are in sight, not both.
function tabs() {
  const names = ["settings", "result"];
  const buttons = names.map((name) => el("button", { type: "button", class: "tab", on: { click: () => look(name) } }, titled(name)));
  function look(name) {
    document.body.dataset.look = name;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(names[i] === name)));
  }
  look("settings");
  return { node: el("div", { class: "tabs", role: "group", "aria-label": "In sight" }, buttons), look };
}

function topBar(about, sight, ...buttons) {
  const size = soft(` ${rows(about.rows)}, ${count(about.columns.length)} ${about.columns.length === 1 ? "column" : "columns"}`);
  return el("header", { class: "top" }, el("p", { class: "brand" }, el("b", {}, about.name), size), sight.node, el("div", { class: "line" }, buttons));
}

// Everything on the page follows from the last state that the server has told; every deed answers with the next one.
function build(about) {
  let state = { number: 0, runs: [], shown: null, undoes: null, comparison: null };
  let timer = 0;
  const { node: told, say } = notice();
  const shownRun = () => state.runs.find((run) => run.id === state.shown);

  async function act(path, given, method = "POST") {
    try {
      const { outcome, state: next } = await ask(path, method, given);
      say("");
      update(next);
      return outcome;
    } catch (error) {
      say(error.message);
      throw error;
    } finally {
      wait(0);
    }
  }

  async function show(run) {
    comparison.close();
    controls.fill(run.settings);
    await quietly(act(`/api/runs/${run.id}/show`));
    sight.look("result");
  }

  async function goBack() {
    comparison.close();
    await quietly(act("/api/undo"));
    controls.fill((shownRun() || { settings: about.standard }).settings);
  }

  async function saveAs(name, replace) {
    const run = shownRun();
    const outcome = await act(`/api/runs/${run.id}/save`, { name, replace });
    if (outcome.saved) say(`${run.name} is saved in ${outcome.saved}`, true);
    return outcome;
  }

  const cancel = (id) => quietly(act(`/api/runs/${id}/cancel`));
  const sight = tabs();
  const controls = controlsOf(about, (settings) => quietly(act("/api/runs", settings)));
  const progress = progressPanel(cancel);
  const runs = runList({
    show,
    cancel,
    remove: (run) => quietly(act(`/api/runs/${run.id}`, undefined, "DELETE")),
    compare: (first, second) => quietly(act("/api/comparisons", { first, second })),
  });
  const empty = emptyPlace();
  const frame = reportFrame((id, group, name) => quietly(act(`/api/runs/${id}/names`, { group, name })));
  const comparison = comparisonPlace(say, () => {
    if (comparison.isOpen()) sight.look("result");
    draw();
  });
  const dialog = saveDialog(about.save_as, saveAs);
  const undo = el("button", { type: "button", class: "plain-button", on: { click: goBack } }, "Undo");
  const save = el("button", { type: "button", class: "plain-button", on: { click: dialog.open } });

  function draw() {
    const [shown, atWork] = [shownRun(), state.runs.find((run) => run.state === "running")];
    progress.show(atWork);
    runs.show(state.runs, state.shown);
    empty.show(atWork);
    empty.node.hidden = Boolean(shown) || comparison.isOpen();
    frame.show(comparison.isOpen() ? null : shown);
    undo.disabled = !state.undoes;
    undo.title = state.undoes ? `Undo ${state.undoes}` : "";
    save.disabled = !shown;
    save.textContent = shown ? `Save ${shown.name}…` : "Save…";
  }

  function update(next) {
    if (next.number < state.number) return; // it was overtaken on its way
    const isOther = next.shown !== null && next.shown !== state.shown;
    state = next;
    if (isOther) {
      comparison.close();
      sight.look("result");
    }
    draw();
    quietly(comparison.show(state.comparison));
  }

  async function poll() {
    try {
      update(await ask("/api/state"));
    } catch (error) {
      say(error.message);
      if (error.status === 403) return;
    }
    const isBusy = state.runs.some((run) => !isOver(run)) || ["waiting", "running"].includes((state.comparison || {}).state);
    wait(isBusy ? SOON : LATER);
  }

  function wait(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(poll, milliseconds);
  }

  document.title = `${about.name} – coterie studio`;
  document.body.append(
    el("a", { class: "skip", href: "#content" }, "Skip to the report"),
    topBar(about, sight, undo, save),
    el(
      "div",
      { class: "panes" },
      el(
        "aside",
        { class: "panel", "aria-label": "Settings and runs" },
        el("div", { class: "panel-body" }, told, runs.node, controls.node),
        el("div", { class: "panel-foot" }, progress.node, controls.button),
      ),
      el("main", { class: "stage-room", id: "content" }, empty.node, frame.node, comparison.node),
    ),
    dialog.node,
  );
  return (first) => {
    comparison.skip(first.comparison);
    update(first);
    if (shownRun()) controls.fill(shownRun().settings);
    wait(SOON);
  };
}

async function start() {
  try {
    await enter();
    const begin = build(await ask("/api/about"));
    begin(await ask("/api/state"));
  } catch (error) {
    document.body.append(el("main", { class: "empty" }, el("h1", {}, "The studio is closed to this page"), el("p", {}, sentence(error.message))));
  }
  document.documentElement.dataset.ready = "yes";
}

start();
