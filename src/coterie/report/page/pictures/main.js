// The page of pictures, from top to bottom.

function keyFigures() {
  return figures(
    [count(clusters.length), clusters.length === 1 ? "group" : "groups"],
    population.noise_rows > 0 && [count(population.noise_rows), population.noise_rows === 1 ? "picture fits no group" : "pictures fit no group"],
    clusters.length > 1 && isNumber(judge.sure_share) && [percent(judge.sure_share), "of pictures clearly belong to their group"],
    clusters.length > 1 && isNumber(judge.stability) && [percent(judge.stability), "agreement when pictures are left out"],
  );
}

// What the map shows beside a point.
function lookOf(row) {
  return [image(row, ""), el("div", { class: "soft" }, clip(pictureName(row), 60))].filter(Boolean);
}

function mapOfPictures() {
  if (!page.map) return null;
  const { map } = record;
  const drawn = map.n_shown < map.n_total ? `${pictures(map.n_shown)} of ${count(map.n_total)} are drawn. ` : "";
  const method = map.method === "neighbours" ? "Places come from who is near whom; directions and distances between far groups mean nothing. " : "The picture flattens all numbers into two directions. ";
  const help = map.n_shown > DOTS ? "The stronger the colour, the more pictures lie there; zoom in for single ones." : "Point at a dot for its name; pictures shown on this page are shown there too.";
  return mapSection({
    things: "pictures",
    lead: "Every dot is a picture; pictures that the comparison finds alike lie close together.",
    look: lookOf,
    axes: null,
    caption: [drawn, method, help],
  });
}

const head = masthead(
  [record.input.name, pictures(record.input.rows), `compared at ${record.pictures.height} × ${record.pictures.width} pixels`],
  foundWords(clusters.length, "No clear groups"),
  doubts("among these pictures", "pictures", "pictures"),
  keyFigures(),
  composition(partsOfMap()),
);

show(head, [glanceSection(), mapOfPictures(), sheetsSection(), unusualSection(), howItWasDone(), glossarySection()], list(record.next));
