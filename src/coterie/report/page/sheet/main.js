// The page of an application, from top to bottom.

const VIEWS = { bars: barsView, lines: linesView, histogram: histogramView, heat: heatView, table: tableView, picture: pictureView, levels: levelsView };

function sectionOfSheet(part, i) {
  return section(`part-${i}`, part.title, sentence(part.text), VIEWS[part.kind](part, `part-${i}`));
}

// What is too thin to be seen is one part at the end.
function compositionOfSheet() {
  const wideOnes = clusters.filter((one) => one.share > 0.004).slice(0, 60).map((one) => [one.id, one.share]);
  const none = population.noise_rows > 0 ? [[NOISE, population.noise_share]] : [];
  const rest = clusters.length - wideOnes.length;
  return composition([...wideOnes, ...none], rest > 0 && el("span", { class: "part part-rest", title: `${count(rest)} smaller ${nouns}` }));
}

// Colours that come from the data may be as dark or light as the page: they get an outline.
if (clusters.some((one) => one.tint)) document.documentElement.dataset.tinted = "yes";

const { input } = record;
const head = masthead(
  [input.name, isNumber(input.rows) ? rows(input.rows) : null],
  record.headline,
  keyFigures(),
  compositionOfSheet(),
);

show(head, [groupsOfSheet(), ...list(record.sections).map(sectionOfSheet), metricsSection(), howSheetWasMade(), wordsOfSheet()], list(record.next));
