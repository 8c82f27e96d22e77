// The page: controls on the left, the report of the run that is shown beside them.

const SOON = 400;
const LATER = 3000;

const studio = { state: { runs: [], shown: null, undoes: null, comparison: null }, about: null, timer: 0 };

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

// The report of a run in a frame. It tells of new names by an event, and is loaded anew only where it does not show what it should.
function reportFrame(named) {
  const node = el("iframe", { title: "Report", hidden: true });
  let shows = "";
  let run = null;
  const key = (one) => JSON.stringify([one.id, Object.entries(one.names).sort()]);
  node.addEventListener("load", () => {
    if (!node.contentDocument?.getElementById("record")) return; // no report: nothing yet, or an error in words
    // Names are kept by the studio, which can undo them, and not by the browser.
    const note = node.contentDocument.querySelector(".names-note");
    if (note) note.hidden = true;
    node.contentDocument.addEventListener("coterie:renamed", async ({ detail }) => {
      forgetNames();
      const at = run.id;
      await named(at, detail.cluster, detail.name);
      if (run.id === at) shows = key(run);
    });
  });
  return {
    node,
    show(one, naming) {
      node.hidden = !one;
      run = one || run;
      if (!one || naming || key(one) === shows) return;
      shows = key(one);
      node.title = `Report of ${one.name}`;
      node.contentWindow.location.replace(`/runs/${one.id}/report`);
    },
  };
}

function forgetNames() {
  for (const place of Object.keys(localStorage)) if (place.startsWith("coterie names:")) localStorage.removeItem(place);
}

function build(about) {
  const { node: alert, say } = notice();
  let naming = 0;
  let compared = "";

  async function act(path, given, method = "POST") {
    try {
      const { outcome, state } = await ask(path, method, given);
      say("");
      update(state);
      return outcome;
    } catch (error) {
      say(error.message);
      throw error;
    } finally {
      wait(0);
    }
  }
  const quietly = (promise) => promise.catch(() => undefined);

  const frame = reportFrame(async (id, group, name) => {
    naming += 1;
    try {
      await quietly(act(`/api/runs/${id}/names`, { group, name }));
    } finally {
      naming -= 1;
    }
  });
  const controls = controlsOf(about, (settings) => quietly(act("/api/runs", settings)));
  const progress = progressPanel((id) => quietly(act(`/api/runs/${id}/cancel`)));
  const runs = runList({
    async show(run) {
      close();
      controls.fill(run.settings);
      await quietly(act(`/api/runs/${run.id}/show`));
      look("result");
    },
    cancel: (id) => quietly(act(`/api/runs/${id}/cancel`)),
    remove: (run) => quietly(act(`/api/runs/${run.id}`, undefined, "DELETE")),
    compare: (first, second) => quietly(act("/api/comparisons", { first, second })),
  });
  const dialog = saveDialog(about.save_as, async (name, replace) => {
    const run = studio.state.runs.find((one) => one.id === studio.state.shown);
    const told = await act(`/api/runs/${run.id}/save`, { name, replace });
    if (told.saved) say(`${run.name} is saved in ${told.saved}`, true);
    return told;
  });

  const undo = el("button", { type: "button", class: "plain-button", disabled: true }, "Undo");
  const save = el("button", { type: "button", class: "plain-button", disabled: true, on: { click: () => dialog.open() } }, "Save…");
  const [emptyTitle, emptyWords] = [el("h1", {}), el("p", {})];
  const empty = el("div", { class: "empty" }, emptyTitle, emptyWords);
  const side = el("div", { class: "side-by-side", hidden: true, "aria-live": "polite" });
  const panel = el(
    "aside",
    { class: "panel", "aria-label": "Settings and runs" },
    el("div", { class: "panel-body" }, alert, runs.node, controls.node),
    el("div", { class: "panel-foot" }, progress.node, controls.button),
  );
  const stage = el("main", { class: "stage-room", id: "content" }, empty, frame.node, side);
  const tabs = ["settings", "result"].map((name) => el("button", { type: "button", class: "tab", "aria-pressed": "false", on: { click: () => look(name) } }, titled(name)));

  undo.addEventListener("click", async () => {
    close();
    await quietly(act("/api/undo"));
    const shown = studio.state.runs.find((run) => run.id === studio.state.shown);
    controls.fill(shown ? shown.settings : about.standard);
  });

  // On narrow screens one of the two is in sight.
  function look(name) {
    document.body.dataset.look = name;
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.textContent.toLowerCase() === name));
  }

  function close() {
    side.hidden = true;
    side.replaceChildren();
  }

  function sayWhyEmpty(atWork) {
    emptyTitle.textContent = atWork ? `${atWork.name} is at work` : "No report to show";
    emptyWords.textContent = atWork ? "Its report appears here as soon as it is done." : "Set what you know and leave the rest as it is, then press Run. The report appears here.";
  }

  async function showComparison(comparison) {
    const now = comparisonKey(comparison);
    if (now === compared) return;
    compared = now;
    if (!comparison) return close();
    if (["waiting", "running"].includes(comparison.state)) {
      side.replaceChildren(el("p", { class: "empty" }, "Comparing the two runs…"));
    } else if (comparison.state === "failed") {
      close();
      say(comparison.sentence);
      return;
    } else {
      const view = comparisonView(await ask(`/api/comparisons/${comparison.id}`), () => { close(); update(studio.state); });
      side.replaceChildren(view);
      view.querySelector("h1").focus();
    }
    side.hidden = false;
    look("result");
    update(studio.state);
  }

  function update(state) {
    const before = studio.state.shown;
    studio.state = state;
    const shown = state.runs.find((run) => run.id === state.shown);
    if (before !== state.shown && shown) {
      close();
      look("result");
    }
    const atWork = state.runs.find((run) => run.state === "running");
    progress.show(atWork);
    sayWhyEmpty(atWork);
    runs.show(state.runs, state.shown);
    frame.show(side.hidden ? shown : null, naming > 0);
    empty.hidden = Boolean(shown) || !side.hidden;
    undo.disabled = !state.undoes;
    undo.title = state.undoes ? `Undo ${state.undoes}` : "";
    save.disabled = !shown;
    save.textContent = shown ? `Save ${shown.name}…` : "Save…";
    quietly(showComparison(state.comparison));
  }

  async function poll() {
    try {
      update(await ask("/api/state"));
    } catch (error) {
      say(error.message);
      if (error.status === 403) return;
    }
    const { state } = studio;
    const busy = state.runs.some((run) => !isOver(run)) || ["waiting", "running"].includes((state.comparison || {}).state);
    wait(busy ? SOON : LATER);
  }

  function wait(milliseconds) {
    clearTimeout(studio.timer);
    studio.timer = setTimeout(poll, milliseconds);
  }

  document.title = `${about.name} – coterie studio`;
  document.body.append(
    el("a", { class: "skip", href: "#content" }, "Skip to the report"),
    el(
      "header",
      { class: "top" },
      el("p", { class: "brand" }, el("b", {}, about.name), soft(` ${rows(about.rows)}, ${count(about.columns.length)} columns`)),
      el("div", { class: "tabs", role: "group", "aria-label": "In sight" }, tabs),
      el("div", { class: "line" }, undo, save),
    ),
    el("div", { class: "panes" }, panel, stage),
    dialog.node,
  );
  look("settings");
  return {
    controls,
    // What was compared before the page was loaded is shown when somebody asks for it again.
    begin(state) {
      compared = comparisonKey(state.comparison);
      update(state);
      wait(0);
    },
  };
}

const comparisonKey = (comparison) => (comparison ? `${comparison.id} ${comparison.state}` : "");

async function start() {
  try {
    await enter();
    const about = await ask("/api/about");
    const state = await ask("/api/state");
    const page_ = build(about);
    const shown = state.runs.find((run) => run.id === state.shown);
    if (shown) page_.controls.fill(shown.settings);
    page_.begin(state);
  } catch (error) {
    document.body.append(el("main", { class: "empty" }, el("h1", {}, "The studio is closed to this page"), el("p", {}, sentence(error.message))));
  }
  document.documentElement.dataset.ready = "yes";
}

start();
