// How clear the groups are beside data without groups, and how the methods that were tried compare.

function nullView(structure) {
  const draws = list(structure.null_draws).filter(isNumber);
  if (!draws.length || !isNumber(structure.statistic)) return null;
  const all = [...draws, structure.statistic];
  const [low, high] = [Math.min(0, ...all), Math.max(...all) * 1.08 || 1];
  const draw = (width) => {
    const x = linear(low, high, 16, width - 16);
    const here = x(structure.statistic);
    return drawing(
      width,
      104,
      axisBelow(x, ticksOf(low, high, width > 500 ? 8 : 4), 22, 66, "clearness of the groups", width / 2),
      [...draws].sort((a, b) => a - b).map((value, i) => svg("circle", { cx: x(value), cy: 52 - (i % 3) * 8, r: 4.5, class: "draw-dot" }, hint(`Data without groups: ${number(value)}`))),
      svg("path", { d: `M${here} 24l7 10l-7 10l-7 -10Z`, class: "mark-shape" }, hint(`These data: ${number(structure.statistic)}`)),
      words(Math.min(width - 60, Math.max(60, here)), 16, "these data", { class: "mark-words", "text-anchor": "middle" }),
    );
  };
  const above = draws.filter((value) => value >= structure.statistic).length;
  return view({
    id: "null-model",
    title: "Beside data without groups",
    lead: `Rings: ${count(draws.length)} draws of rows that spread and lean the same way but have no groups. Diamond: these data. ${above ? `${count(above)} of the draws ${above === 1 ? "is" : "are"} as clear.` : "None of the draws is as clear."} This is one of several tests that the answer goes by.`,
    label: `Clearness ${number(structure.statistic)} of these data beside ${count(draws.length)} draws without groups between ${number(Math.min(...draws))} and ${number(Math.max(...draws))}`,
    draw,
    heads: ["Data", "Clearness"],
    lines: () => [["these data", structure.statistic], ...draws.map((value, i) => [`draw ${i + 1}`, value])],
  });
}

const SERIES = [["score", "Score", "M-5 -5h10v10h-10Z"], ["stability", "Stability", "M0 -6L6 5H-6Z"], ["validity", "Validity", "M0 -6.5L6.5 0L0 6.5L-6.5 0Z"]];

function candidatesView() {
  const tried = list(record.candidates);
  const series = SERIES.filter(([name]) => tried.filter((one) => isNumber(one[name])).length > 1);
  if (tried.length < 3 || !series.length) return null;
  const values = tried.flatMap((one) => series.map(([name]) => one[name])).filter(isNumber);
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  const draw = (width) => {
    const [from, to] = [width > 560 ? 200 : 112, width - 14];
    const x = linear(low, high, from, to);
    const line = 24;
    const bottom = 34 + tried.length * line;
    let across = from;
    const key = series.map(([, title, shape]) => {
      const at = across;
      across += 34 + 7.5 * title.length;
      return svg("g", {}, svg("path", { d: shape, transform: `translate(${at + 6} 12)`, class: `trial trial-${title.toLowerCase()}` }), words(at + 18, 16, title, {}));
    });
    return drawing(
      width,
      bottom + 42,
      axisBelow(x, ticksOf(low, high, width > 500 ? 8 : 4), 28, bottom, "higher is better", (from + to) / 2),
      key,
      tried.map((one, i) => {
        const y = 40 + (i + 0.5) * line;
        return svg(
          "g",
          { class: one.chosen ? "trial-line chosen-line" : "trial-line" },
          one.chosen && svg("rect", { x: 0, y: y - line / 2, width, height: line, class: "chosen-ground" }),
          words(4, y + 4, clip(`${one.chosen ? "✓ " : ""}${one.method}, ${isNumber(one.n_clusters) ? count(one.n_clusters) : "?"}`, Math.floor((from - 8) / 7.2)), {}),
          series.map(([name, title, shape]) => isNumber(one[name]) && svg("path", { d: shape, transform: `translate(${x(one[name]).toFixed(1)} ${y})`, class: `trial trial-${title.toLowerCase()}` }, hint(`${title} ${number(one[name])}`))),
        );
      }),
    );
  };
  const best = tried.find((one) => one.chosen);
  return view({
    id: "candidates",
    title: "What was tried, side by side",
    lead: "Method and number of groups; the chosen one is ticked. Scores compare candidates of one kind only.",
    label: `${count(tried.length)} candidates with their ${series.map(([, title]) => title.toLowerCase()).join(", ")}${best ? `; chosen: ${best.method} with ${count(best.n_clusters)} groups` : ""}`,
    draw,
    heads: ["Method", "Groups", ...series.map(([, title]) => title), "Chosen"],
    lines: () => tried.map((one) => [one.method, one.n_clusters, ...series.map(([name]) => one[name] ?? "–"), one.chosen ? "yes" : "no"]),
  });
}
