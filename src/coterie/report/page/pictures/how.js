// How the groups of pictures were found and what speaks for them.

function leftOutBlock() {
  const left = list(record.pictures.left_out);
  if (!left.length) return null;
  const lines = left.slice(0, 50).map((one) => el("tr", {}, rowHead(clip(one.name, 120)), el("td", {}, one.why)));
  return block("Left out", `${count(left.length)} ${left.length === 1 ? "file" : "files"} could not be read.`, plainTable("Files left out", ["File", "Why"], lines));
}

function originOfPictures() {
  const { input } = record;
  const data = `${input.name || "?"}, ${pictures(input.rows)}${inBytes(input.bytes)}`;
  const options = { title: "How the pictures were read", notes: input.notes, open: true };
  return originBlock([["Data", data], ["Fingerprint of the pictures", input.fingerprint]], options);
}

function howItWasDone() {
  const { encoder } = record;
  const numbers = encoder && block("Comparison", sentence(encoder.words), el("p", {}, "Pictures whose numbers are close count as alike. Labels, names and folders of the pictures were not used."));
  return section("method", "How this was done", null, numbers, candidatesBlock(), structureBlock(), truthBlock(), populationBlock(pictures), leftOutBlock(), stepsBlock(), originOfPictures());
}
