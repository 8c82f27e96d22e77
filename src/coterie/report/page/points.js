// The points of the map: unpacked from the page, kept by row number, and looked up by place.

const BITS = 7; // the look-up grid has 2^7 cells a side

async function unpackPoints() {
  const packed = document.getElementById("points").textContent.trim();
  const n = record.map.n_shown;
  const stream = new Blob([fromBase64(packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  // Each number lies split in planes: the low bytes of all, then the next bytes of all.
  const read = (size, target) => {
    for (let byte = 0; byte < size; byte++, at += n) {
      const factor = 2 ** (8 * byte);
      for (let i = 0; i < n; i++) target[i] += planes[at + i] * factor;
    }
    return target;
  };
  const row = read(4, new Uint32Array(n));
  for (let i = 1; i < n; i++) row[i] += row[i - 1];
  return { n, row, x: read(2, new Uint16Array(n)), y: read(2, new Uint16Array(n)), label: read(2, new Int16Array(n)) };
}

function fromBase64(packed) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(packed);
  const binary = atob(packed);
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) out[i] = binary.charCodeAt(i);
  return out;
}

// Order the points by a key below `size`, as a counting sort: `order` holds the points, `start` where each key begins.
function sortBy(n, size, key) {
  const start = new Uint32Array(size + 1);
  for (let i = 0; i < n; i++) start[key(i) + 1]++;
  for (let k = 0; k < size; k++) start[k + 1] += start[k];
  const next = start.slice(0, size);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[next[key(i)]++] = i;
  return { order, start };
}

// Which points have their values in the page: the pointer prefers them.
function sampledIn(points) {
  const sampled = new Uint8Array(points.n);
  for (const row of Object.keys(sampleRows)) {
    const i = indexOfRow(points, Number(row));
    if (i >= 0) sampled[i] = 1;
  }
  return sampled;
}

function gridOf(points, preferred) {
  const shift = 16 - BITS;
  const side = 1 << BITS;
  const cells = sortBy(points.n, side * side, (i) => ((points.y[i] >> shift) << BITS) | (points.x[i] >> shift));
  // The point nearest to (x, y) within the ellipse of radii (rx, ry), or -1.
  return (x, y, rx, ry) => {
    const low = (value) => Math.max(0, Math.min(side - 1, Math.floor(value) >> shift));
    let best = -1;
    let least = 1;
    for (let line = low(y - ry); line <= low(y + ry); line++) {
      const from = cells.start[(line << BITS) | low(x - rx)];
      const to = cells.start[((line << BITS) | low(x + rx)) + 1];
      for (let j = from; j < to; j++) {
        const i = cells.order[j];
        const far = (((points.x[i] - x) / rx) ** 2 + ((points.y[i] - y) / ry) ** 2) * (preferred[i] ? 0.3 : 1);
        if (far < least) [least, best] = [far, i];
      }
    }
    return best;
  };
}

function indexOfRow(points, row) {
  let [low, high] = [0, points.n - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (points.row[middle] === row) return middle;
    if (points.row[middle] < row) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

// Where the bulk of the points lies, so that a few far rows don't squeeze all others into a corner.
function bulkOf(points) {
  const step = Math.max(1, Math.floor(points.n / 20000));
  const range = (values) => {
    const some = [];
    for (let i = 0; i < points.n; i += step) some.push(values[i]);
    some.sort((a, b) => a - b);
    const inner = [some[Math.floor(0.005 * (some.length - 1))], some[Math.ceil(0.995 * (some.length - 1))]];
    return 65535 > 2.5 * Math.max(inner[1] - inner[0], 1) ? inner : [0, 65535];
  };
  return { x: range(points.x), y: range(points.y) };
}
