// What groups are called: as they were found, or as people name them. New names are kept by the browser for this one analysis,
// and travel in a copy of the page.

const LONGEST_NAME = 80;
const NAMES_PLACE = `coterie names: ${[record.created, record.seed, (record.input || {}).name].join(" ")}`;
const namesOfRecord = Object.fromEntries(clusters.filter((one) => known(one.given_name)).map((one) => [one.id, text(one.given_name)]));
const names = { given: keptNames() || { ...namesOfRecord }, listeners: [] };

function nameOf(cluster) {
  if (cluster === NOISE) return `Fits no ${noun}`;
  return names.given[cluster] || (clusters[cluster] || {}).name || `${titled(noun)} ${cluster}`;
}

// Do something that shows a name, now and after every change of a name.
function withNames(act) {
  act();
  names.listeners.push(act);
}

// A name that stays true, and keeps its direction of writing to itself.
function nameNode(cluster, most = Infinity, words = nameOf) {
  const node = el("bdi");
  withNames(() => { node.textContent = clip(words(cluster), most); });
  return node;
}

function usableName(words) {
  const plain = text(words).replace(/\s+/gu, " ").replace(/[\p{Cc}\p{Cs}]/gu, "").trim();
  return [...plain].slice(0, LONGEST_NAME).join("");
}

// An empty name, or the one that was found, takes an earlier one back.
function setName(cluster, words) {
  if (!clusters[cluster]) return;
  const name = usableName(words);
  if (name && name !== clusters[cluster].name) names.given[cluster] = name;
  else delete names.given[cluster];
  keepNames();
  for (const listener of names.listeners) listener();
}

const areNew = () => JSON.stringify(names.given) !== JSON.stringify(namesOfRecord);

// A page in a frame without storage, or in a private window, has its names until it is closed. Names that the record has got
// meanwhile count more than those kept before.
function keptNames() {
  try {
    const { before, now } = JSON.parse(localStorage.getItem(NAMES_PLACE)) || {};
    if (JSON.stringify(before) !== JSON.stringify(namesOfRecord)) return null;
    return Object.fromEntries(clusters.map(({ id }) => [id, usableName(now[id] ?? "")]).filter(([, name]) => name));
  } catch {
    return null;
  }
}

function keepNames() {
  try {
    if (areNew()) localStorage.setItem(NAMES_PLACE, JSON.stringify({ before: namesOfRecord, now: names.given }));
    else localStorage.removeItem(NAMES_PLACE);
  } catch {
    // Nothing is lost but the memory of it.
  }
}

document.addEventListener("coterie:rename", ({ detail }) => setName((detail || {}).cluster, (detail || {}).name ?? ""));

// A button that puts a field in the place of a heading with a name: Enter keeps what was typed, Escape does not.
function renameButton(cluster, title) {
  const words = `Rename ${noun} ${cluster}`;
  return el("button", { type: "button", class: "quiet", title: words, "aria-label": words, on: { click: (event) => editName(cluster, title, event.currentTarget) } }, "Rename");
}

function editName(cluster, title, button) {
  const field = el("input", { class: "name-field", type: "text", dir: "auto", maxlength: LONGEST_NAME, autocomplete: "off", value: nameOf(cluster), "aria-label": `New name of ${noun} ${cluster}; nothing brings the first name back` });
  let open = true;
  const end = (keep) => {
    if (!open) return;
    open = false;
    if (keep && field.value !== nameOf(cluster)) {
      setName(cluster, field.value);
      document.dispatchEvent(new CustomEvent("coterie:renamed", { detail: { cluster, name: names.given[cluster] || "" } }));
    }
    title.hidden = button.hidden = false;
    const wasHere = document.activeElement === field;
    field.remove();
    if (wasHere) button.focus();
  };
  field.addEventListener("blur", () => end(true));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault(); // else the same key would press the button that is focused next
    end(event.key === "Enter");
  });
  title.after(field);
  title.hidden = button.hidden = true;
  field.select();
}

// Shown as soon as a name is not yet in the file.
function namesNote() {
  const note = el("p", { class: "names-note", "aria-live": "polite" });
  withNames(() => note.replaceChildren(...(areNew() ? ["Your names are kept in this browser. ", el("button", { type: "button", class: "quiet", on: { click: savePage } }, "Save page with names")] : [])));
  return note;
}

// The page as it came, with the names in its record.
function savePage() {
  const copy = document.documentElement.cloneNode(true);
  for (const name of Object.keys(copy.dataset)) delete copy.dataset[name];
  copy.querySelectorAll("body > :not(noscript, template, script)").forEach((one) => one.remove());
  const named = clusters.map(({ given_name: _, ...one }) => (names.given[one.id] ? { ...one, given_name: names.given[one.id] } : one));
  copy.querySelector("#record").textContent = embedded({ ...record, clusters: named });
  download(fileName("named", "html"), `<!doctype html>\n${copy.outerHTML}\n`, "text/html");
}

// JSON that cannot end the element it stands in and holds no address; the same as in the page that was written.
function embedded(value) {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`).replaceAll("/", "\\/");
}
