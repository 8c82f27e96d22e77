// The runs: the one at work with its progress, and all of them as a list to show, compare and remove.

const STEPS = {
  read: "Reading the data",
  prepare: "Preparing the columns",
  plan: "Planning",
  choose: "Choosing method and number of groups",
  cluster: "Clustering",
  population: "Looking at small groups",
  judge: "Judging the groups",
  describe: "Describing the groups",
};
const STEP_NAMES = Object.keys(STEPS);

// What the library says, in the words of the controls.
const OUR_WORDS = [
  [/\bn_clusters[ =](\d+)/g, "$1 groups"],
  [/\bn_clusters\b/g, "the number of groups"],
  [/\bmin_share\b/g, "the smallest group"],
  [/, for example roles=\{[^}]*\}/g, " among the columns"],
];
const inOurWords = (words) => OUR_WORDS.reduce((all, [theirs, ours]) => all.replace(theirs, ours), words);

const isOver = (run) => ["done", "failed", "cancelled"].includes(run.state);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function progressPanel(cancel) {
  const bar = el("progress", { max: "1", "aria-labelledby": "progress-name" });
  const name = el("span", { id: "progress-name" });
  const time = el("span", { class: "soft" });
  // Only what changes with a step is read out, not every second.
  const step = el("p", { role: "status", "aria-live": "polite" });
  const detail = el("p", { class: "hint" });
  const stop = el("button", { type: "button", class: "plain-button" }, "Cancel");
  const done = el("ol", { class: "steps-done", tabindex: "0", "aria-label": "Steps that have ended" });
  const node = el("section", { class: "progress", hidden: true, "aria-label": "Progress" }, el("div", { class: "line" }, el("h2", {}, name), time, stop), bar, step, detail, done);
  let current = null;
  stop.addEventListener("click", () => cancel(current.id));

  return {
    node,
    show(run) {
      node.hidden = !run;
      current = run;
      if (!run) {
        step.textContent = "";
        return;
      }
      const next = STEP_NAMES[run.steps.length];
      const { done: part, total, text: words } = run.progress;
      name.textContent = run.name;
      time.textContent = `${Math.floor(run.seconds)} s`;
      bar.value = (run.steps.length + (total ? part / total : 0)) / (STEP_NAMES.length + 1);
      const saying = `${next ? STEPS[next] : "Writing the results"}…`;
      if (step.textContent !== saying) step.textContent = saying;
      detail.textContent = words ? `${inOurWords(words)} (${count(part)} of ${count(total)} tried)` : "";
      const lines = run.steps.map((one) => el("li", {}, sentence(one.text)));
      if (done.childElementCount !== lines.length) {
        done.replaceChildren(...lines);
        done.scrollTop = done.scrollHeight;
      }
      done.hidden = lines.length === 0;
    },
  };
}

function runWords(run) {
  if (run.state === "done") return `${run.headline} · ${run.method}`;
  if (run.state === "failed") return sentence(`failed: ${inOurWords(run.sentence)}`);
  return { waiting: "Waiting for its turn", running: "At work", cancelled: "Cancelled" }[run.state];
}

// `act` has what happens when somebody shows, removes, cancels or compares.
function runList(act) {
  const ticked = new Set();
  const list_ = el("ol", { class: "runs" });
  const compare = el("button", { type: "button", class: "plain-button", disabled: true, on: { click: () => act.compare(...ticked) } }, "Compare");
  const hint = el("p", { class: "hint" }, "Tick two runs to set them side by side.");
  const node = el("section", { class: "all-runs", hidden: true, "aria-labelledby": "runs-title" }, el("div", { class: "line" }, el("h2", { id: "runs-title" }, "Runs"), compare), hint, list_);
  let drawn = "";

  function tick(id, on) {
    if (on) ticked.add(id);
    else ticked.delete(id);
    if (ticked.size > 2) ticked.delete([...ticked][0]);
    for (const box of list_.querySelectorAll("input")) box.checked = ticked.has(box.value);
    compare.disabled = ticked.size !== 2;
  }

  // What is gone cannot be brought back: a result that is not saved is removed by a second press only.
  function removeButton(run) {
    const isLost = run.state === "done" && !run.is_saved;
    const button = el("button", { type: "button", class: "quiet", "aria-label": `Remove ${run.name}` }, "Remove");
    const ask_ = (on) => {
      button.textContent = on ? "For good?" : "Remove";
      button.setAttribute("aria-label", on ? `Remove ${run.name} for good, though it is not saved` : `Remove ${run.name}`);
    };
    button.addEventListener("blur", () => ask_(false));
    button.addEventListener("click", () => (isLost && button.textContent === "Remove" ? ask_(true) : act.remove(run)));
    return button;
  }

  function line(run, shown) {
    const isDone = run.state === "done";
    const words = [el("b", {}, run.name), soft(` ${clock.format(new Date(run.created))}`), run.saved && el("span", { class: "tag", title: `In ${run.saved}${run.is_saved ? "" : ", without the latest names"}` }, run.is_saved ? "saved" : "changed")];
    const about = el("span", { class: run.state === "failed" ? "run-words failed" : "run-words" }, runWords(run));
    const head = isDone
      ? el("button", { type: "button", class: "run-show", "aria-current": shown ? "true" : null, on: { click: () => act.show(run) } }, el("span", {}, words), about)
      : el("div", { class: "run-show" }, el("span", {}, words), about);
    const box = el("input", { type: "checkbox", value: run.id, disabled: !isDone, "aria-label": `Compare ${run.name}`, on: { change: (event) => tick(run.id, event.target.checked) } });
    box.checked = ticked.has(run.id);
    const end = isOver(run)
      ? removeButton(run)
      : el("button", { type: "button", class: "quiet", "aria-label": `Cancel ${run.name}`, on: { click: () => act.cancel(run.id) } }, "Cancel");
    return el("li", { class: shown ? "run shown" : "run" }, box, head, end);
  }

  return {
    node,
    show(runs, shown) {
      const now = JSON.stringify([shown, runs.map((run) => [run.id, run.state, run.saved, run.is_saved])]);
      if (now === drawn) return; // what has the focus keeps it
      drawn = now;
      const focused = list_.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
      node.hidden = runs.length === 0;
      hint.hidden = runs.filter((run) => run.state === "done").length < 2;
      list_.replaceChildren(...runs.map((run) => line(run, run.id === shown)).reverse());
      for (const id of ticked) if (!runs.some((run) => run.id === id)) tick(id, false);
      if (focused) list_.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    },
  };
}
