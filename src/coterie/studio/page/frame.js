// The report of a run in a frame, just as it will be saved.

// The report keeps names in the browser; here the studio keeps them, which can undo them.
function forgetNames() {
  for (const place of Object.keys(localStorage)) if (place.startsWith("coterie names:")) localStorage.removeItem(place);
}

// It tells of new names by an event, which goes to `name(run, group, name)`, and is loaded anew only where it shows other names
// than it should.
function reportFrame(name) {
  const node = el("iframe", { title: "Report", hidden: true });
  const key = (run) => JSON.stringify([run.id, Object.entries(run.names).sort()]);
  let [run, shows, naming] = [null, "", 0];

  async function renamed({ detail }) {
    const { id } = run;
    forgetNames();
    naming += 1;
    await name(id, detail.cluster, detail.name);
    naming -= 1;
    if (run.id === id) shows = key(run);
  }

  node.addEventListener("load", () => {
    const page = node.contentDocument;
    if (!page?.getElementById("record")) return; // no report: nothing yet, or an error in words
    page.querySelector(".names-note")?.toggleAttribute("hidden", true);
    page.addEventListener("coterie:renamed", renamed);
  });

  return {
    node,
    show(now) {
      node.hidden = !now;
      run = now || run;
      if (!now || naming > 0 || key(now) === shows) return;
      shows = key(now);
      node.title = `Report of ${now.name}`;
      node.contentWindow.location.replace(`/runs/${now.id}/report`);
    },
  };
}
