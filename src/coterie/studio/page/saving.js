// Saving a run: under a name, and over an earlier analysis only after somebody has said so.

// `save(name, replace)` answers with the folder, or with what stands there already.
function saveDialog(standard, save) {
  const name = el("input", { type: "text", id: "save-name", maxlength: "60", required: true, autocomplete: "off", spellcheck: "false" });
  const words = el("p", { role: "status", "aria-live": "polite" });
  const sure = el("button", { type: "submit", class: "main-button" }, "Save");
  const close = el("button", { type: "button", class: "plain-button", on: { click: () => dialog.close() } }, "Cancel");
  const form = el("form", {}, el("h2", {}, "Save this run"), field("save-name", "Name of the folder", name, el("p", { class: "hint" }, "Labels, model, record and report go there together.")), words, el("div", { class: "line" }, sure, close));
  const dialog = el("dialog", { "aria-label": "Save this run" }, form);
  let replaces = false;

  function start(text_ = "") {
    replaces = false;
    sure.textContent = "Save";
    words.textContent = text_;
  }

  name.addEventListener("input", () => start());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    sure.disabled = true;
    try {
      const told = await save(name.value.trim(), replaces);
      if (told.earlier) {
        start(`${told.folder} holds an earlier analysis (${told.earlier}). Replace it?`);
        replaces = true;
        sure.textContent = "Replace";
      } else {
        start();
        dialog.close();
      }
    } catch (error) {
      start(sentence(error.message));
    } finally {
      sure.disabled = false;
    }
  });
  return {
    node: dialog,
    open() {
      start();
      name.value = name.value || standard;
      dialog.showModal();
      name.select();
    },
  };
}
