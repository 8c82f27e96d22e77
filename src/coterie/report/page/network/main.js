// The page of a network, from top to bottom.

// Of each class its number, its share and its size.
function partsOfNetwork() {
  return clusters.map((one) => [one.id, one.share, nodesWord(one.nodes)]);
}

function metric(name) {
  return (record.metrics.find((one) => one.name === name) || {}).value;
}

function keyFigures() {
  const { input, unplaced, n_classes: found } = record;
  return figures(
    [count(found), found === 1 ? "class" : "classes"],
    isNumber(metric("coverage")) && input.links > 0 && [percent(metric("coverage")), "of the links stay inside a class"],
    isNumber(metric("modularity")) && input.links > 0 && [metric("modularity").toFixed(2), "modularity; 0 is chance"],
    unplaced.nodes > 0 && [count(unplaced.nodes), unplaced.nodes === 1 ? "node belongs to no class" : "nodes belong to no class"],
  );
}

// What is too thin to be seen is one part at the end.
function compositionOfNetwork() {
  const wide = partsOfNetwork().filter(([, share]) => share > 0.004).slice(0, 60);
  const rest = 1 - wide.reduce((sum, [, share]) => sum + share, 0);
  return composition(wide, rest > 0.002 && el("span", { class: "part part-rest", title: `All others: ${percent(rest)}`, style: { "flex-grow": String(rest) } }));
}

function linksAndKind() {
  const { links, directed, weighted } = record.input;
  return `${count(links)} ${links === 1 ? "link" : "links"}, ${directed ? "directed" : "undirected"}${weighted ? ", weighted" : ""}`;
}

const head = masthead(
  [record.input.name, record.input.nodes_file, nodesWord(record.input.nodes), linksAndKind()],
  foundWords(record.n_classes, "No classes"),
  record.structure.verdict === "none" && banner("No clear classes in this network", "The classes below only cut the network into parts; don't read more into them."),
  keyFigures(),
  compositionOfNetwork(),
);

show(head, [drawingSection(), matrixSection(), classesSection(), sideBySideSection(), bridgesSection(), timeSection(), membersSection(), howSection(), glossarySection()], []);
