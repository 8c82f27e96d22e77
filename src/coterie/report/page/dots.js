// What is drawn on the map: dots when few are in sight, density when many, and the numbers and names of groups.

const DOTS = 20000;
const MOST_LABELS = 24;

// Noise first, then the groups from the largest to the smallest, so that nothing small is buried; the picked one last.
function groupsInOrder() {
  const all = [NOISE, ...clusters.keys()];
  return picked.value === null ? all : [...all.filter((one) => one !== picked.value), picked.value];
}

function radiusOf(map, inSight) {
  return Math.max(1.5, Math.min(6.5, 5.2 * (600 / Math.max(inSight, 120)) ** 0.3)) * Math.min(1, Math.max(0.7, map.width / 700));
}

// How dots of a group look: how large, how strong, in which colour.
function lookOfDots(map, cluster, radius) {
  const faded = isFaded(cluster);
  return { faded, size: cluster === NOISE ? radius * 0.7 : radius, alpha: faded ? 0.35 : cluster === NOISE ? 0.75 : 0.85, color: faded ? map.fade : colorOf(cluster) };
}

// Call `act` with the place of each dot of a group that is in sight.
function eachInSight(map, cluster, act) {
  const { sx, sy, ox, oy } = map.view;
  const { order, start } = map.groups;
  const { x, y } = map.points;
  const [right, bottom] = [map.width + 9, map.height + 9];
  for (let j = start[cluster + 1]; j < start[cluster + 2]; j++) {
    const px = x[order[j]] * sx + ox;
    const py = oy - y[order[j]] * sy;
    if (px >= -9 && py >= -9 && px <= right && py <= bottom) act(px, py);
  }
}

function drawDots(map, inSight) {
  const { context } = map;
  const radius = radiusOf(map, inSight);
  for (const cluster of groupsInOrder()) {
    const { faded, size, alpha, color } = lookOfDots(map, cluster, radius);
    context.beginPath();
    eachInSight(map, cluster, (px, py) => {
      context.moveTo(px + size, py);
      context.arc(px, py, size, 0, 6.2832);
    });
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.fill();
    if (inSight < 3000 && !faded) Object.assign(context, { globalAlpha: 0.9, strokeStyle: map.paper, lineWidth: 0.8 }).stroke();
  }
  context.globalAlpha = 1;
}

// Count the points in each pixel; the colour is the mix of theirs, the strength grows with the logarithm of their number.
function drawDensity(map, grain) {
  const { sx, sy, ox, oy } = map.view;
  const [width, height] = [Math.ceil(map.width / grain), Math.ceil(map.height / grain)];
  const cells = width * height;
  if (!map.sums || map.sums.length !== 4 * cells) map.sums = new Float32Array(4 * cells);
  const sums = map.sums.fill(0);
  const { order, start } = map.groups;
  const { x, y } = map.points;
  for (const cluster of groupsInOrder()) {
    const faded = isFaded(cluster);
    const weight = faded ? 0.08 : cluster === NOISE ? 0.3 : 1;
    const [r, g, b] = rgb(faded ? map.fade : colorOf(cluster)).map((part) => part * weight);
    for (let j = start[cluster + 1]; j < start[cluster + 2]; j++) {
      const px = Math.floor((x[order[j]] * sx + ox) / grain);
      const py = Math.floor((oy - y[order[j]] * sy) / grain);
      if (px < 0 || py < 0 || px >= width || py >= height) continue;
      const at = 4 * (py * width + px);
      sums[at] += r;
      sums[at + 1] += g;
      sums[at + 2] += b;
      sums[at + 3] += weight;
    }
  }
  paintDensity(map, sums, width, height, grain);
}

function paintDensity(map, sums, width, height, grain) {
  let most = 1;
  for (let at = 3; at < sums.length; at += 4) if (sums[at] > most) most = sums[at];
  const scale = 0.55 / Math.log1p(most);
  const image = new ImageData(width, height);
  for (let at = 0; at < sums.length; at += 4) {
    const amount = sums[at + 3];
    if (!amount) continue;
    for (let part = 0; part < 3; part++) image.data[at + part] = sums[at + part] / amount;
    image.data[at + 3] = 255 * (Math.min(amount, 1) * 0.45 + scale * Math.log1p(amount));
  }
  const buffer = el("canvas", { width, height });
  buffer.getContext("2d").putImageData(image, 0, 0);
  map.context.imageSmoothingEnabled = false;
  map.context.drawImage(buffer, 0, 0, width * grain, height * grain);
}

// Where numbers stand on their groups, and names below them where there is room: colour is never the only sign.
function placedNames(map) {
  const { context } = map;
  const taken = [];
  const take = (box) => taken.every((other) => box[0] > other[2] || box[2] < other[0] || box[1] > other[3] || box[3] < other[1]) && taken.push(box);
  const shown = picked.value === null ? [...clusters.keys()].slice(0, MOST_LABELS) : [picked.value];
  const placed = [];
  for (const cluster of shown) {
    if (!(map.anchors[cluster] >= 0)) continue;
    const [x, y] = map.place(map.anchors[cluster]);
    if (x >= 0 && y >= 0 && x <= map.width && y <= map.height && take([x - 12, y - 11, x + 12, y + 11])) placed.push({ cluster, x, y });
  }
  context.font = "600 12px system-ui, sans-serif";
  if (map.width > 520 && clusters.length <= 12) {
    for (const one of placed) {
      const name = clip(nameOf(one.cluster), 34);
      const half = context.measureText(name).width / 2;
      const middle = Math.max(half + 6, Math.min(map.width - half - 6, one.x));
      if (take([middle - half, one.y + 12, middle + half, one.y + 28])) Object.assign(one, { name, middle });
    }
  }
  return placed;
}

function drawNames(map) {
  const { context } = map;
  const placed = placedNames(map);
  Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 5, strokeStyle: map.paper, fillStyle: map.ink });
  for (const { name, middle, y } of placed) {
    if (!name) continue;
    context.strokeText(name, middle, y + 20);
    context.fillText(name, middle, y + 20);
  }
  for (const { cluster, x, y } of placed) {
    const color = colorOf(cluster);
    context.beginPath();
    context.arc(x, y, 11, 0, 6.2832);
    Object.assign(context, { lineWidth: 2, strokeStyle: map.paper, fillStyle: color });
    context.fill();
    context.stroke();
    context.font = "700 12px system-ui, sans-serif";
    context.fillStyle = inkOn(color);
    context.fillText(String(cluster), x, y + 0.5);
  }
}

// ---- the map as a file

function mapPicture(map) {
  const copy = el("canvas", { width: map.canvas.width, height: map.canvas.height });
  const context = copy.getContext("2d");
  context.fillStyle = map.paper;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(map.canvas, 0, 0);
  return copy;
}

// Single dots stay single dots; where they are too many, the picture goes into the drawing as it is.
function mapDrawing(map) {
  const { width, height } = map;
  const radius = radiusOf(map, map.inSight);
  const dots = map.inSight > DOTS ? svg("image", { href: mapPicture(map).toDataURL("image/png"), width, height }) : groupsInOrder().map((cluster) => {
    const { size, alpha, color } = lookOfDots(map, cluster, radius);
    let d = "";
    eachInSight(map, cluster, (px, py) => { d += `M${px.toFixed(1)} ${py.toFixed(1)}h0`; });
    return d && svg("path", { d, fill: "none", stroke: color, "stroke-opacity": alpha, "stroke-width": (2 * size).toFixed(2), "stroke-linecap": "round" });
  });
  const font = { "font-family": "sans-serif", "font-size": 12, "text-anchor": "middle" };
  const names = placedNames(map).map(({ cluster, x, y, name, middle }) => [
    name && words(middle, y + 24, name, { ...font, "font-weight": 600, fill: map.ink, stroke: map.paper, "stroke-width": 4, "paint-order": "stroke" }),
    svg("circle", { cx: x, cy: y, r: 11, fill: colorOf(cluster), stroke: map.paper, "stroke-width": 2 }),
    words(x, y + 4, String(cluster), { ...font, "font-weight": 700, fill: inkOn(colorOf(cluster)) }),
  ]);
  return drawing(width, height, svg("rect", { width, height, fill: map.paper }), dots, names);
}

function mapSaves() {
  const part = (act) => () => page.drawn && act(page.drawn);
  return el(
    "span",
    { class: "view-tools" },
    saveButton("PNG", "Save the map as a picture", part((map) => mapPicture(map).toBlob((content) => download(fileName("map", "png"), content, "image/png")))),
    saveButton("SVG", "Save the map as a drawing", part((map) => download(fileName("map", "svg"), new XMLSerializer().serializeToString(mapDrawing(map)), "image/svg+xml"))),
  );
}
