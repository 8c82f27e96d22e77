// A picture, and pictures to go through with a slider.

function pixels(part) {
  return el("img", { src: part.source, alt: part.alt, width: part.width, height: part.height, decoding: "async" });
}

// What a picture holds, as a file.
function savePicture(part, id) {
  const [head, body] = part.source.split(",");
  const kind = head.includes("png") ? "png" : "jpg";
  download(fileName(id, kind), new Blob([Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0))]), `image/${kind}`);
}

const pictureTools = (part, id, now) => el("span", { class: "view-tools" }, saveButton("Save", `Save the picture: ${part.title}`, () => savePicture(now(), id)));

function pictureView(part, id) {
  return el("figure", { class: "view picture", id: `view-${id}` }, el("header", { class: "view-head" }, el("span"), pictureTools(part, id, () => part)), pixels(part));
}

function levelsView(part, id) {
  const { frames } = part;
  let now = Math.min(frames.length - 1, part.start || 0);
  const [place, facts] = [el("div", { class: "frame-place" }), el("div", { class: "frame-facts", "aria-live": "polite" })];
  const said = el("output", { for: `${id}-level`, class: "level-said" });
  const slider = el("input", { type: "range", id: `${id}-level`, min: 0, max: frames.length - 1, step: 1, value: now, disabled: frames.length < 2 });
  const show = () => {
    const frame = frames[now];
    place.replaceChildren(pixels(frame));
    facts.replaceChildren(...(list(frame.facts).length ? [factList(frame.facts.map(([name, value]) => [name, shown(value)]))] : []));
    said.textContent = frame.label;
    slider.setAttribute("aria-valuetext", `${part.label || "Level"}: ${frame.label}`);
  };
  slider.addEventListener("input", () => { now = Number(slider.value); show(); });
  show();
  const names = [...new Set(frames.flatMap((frame) => list(frame.facts).map(([name]) => text(name))))];
  const lines = () => frames.map((frame) => el("tr", {}, rowHead(frame.label), names.map((name) => factCell(frame, name))));
  return el(
    "figure",
    { class: "view picture", id: `view-${id}` },
    el("header", { class: "view-head" }, el("p", { class: "level" }, el("label", { for: `${id}-level` }, part.label || "Level"), slider, said), pictureTools(part, id, () => frames[now])),
    place,
    facts,
    names.length > 0 && folded("As a table", () => plainTable(`${part.title}, as a table`, [part.label || "Level", ...names], lines())),
  );
}

function factCell(frame, name) {
  const [, value] = list(frame.facts).find(([one]) => text(one) === name) || [];
  return isNumber(value) ? figureCell(shown(value)) : el("td", {}, shown(value));
}
