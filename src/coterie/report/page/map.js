// The map: a canvas with pan and zoom, dots when few are in sight, density when many, and the row under the pointer.

const DOTS = 20000;
const MOST_LABELS = 24;
const REACH = 12; // how near the pointer must come, in pixels

// Whether both directions of the map are mixtures of columns, so that their lengths compare.
const isFlattened = () => !["columns", "column"].includes(record.map.method);

class PointMap {
  constructor(points, canvas, overlay) {
    Object.assign(this, { points, canvas, overlay, zoom: 1, shift: [0, 0], hovered: -1, marked: -1 });
    this.context = canvas.getContext("2d");
    this.bulk = bulkOf(points);
    this.groups = sortBy(points.n, clusters.length + 1, (i) => (points.label[i] >= 0 && points.label[i] < clusters.length ? points.label[i] + 1 : 0));
    this.anchors = clusters.map((_, cluster) => this.anchorOf(cluster));
    // The lookup of a million points takes a moment; it waits for the first picture.
    this.find = null;
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("print").addEventListener("change", () => this.draw());
    onTheme(() => this.draw());
    onPick(() => this.redraw());
    withNames(() => this.redraw());
    this.listen();
    this.resize();
  }

  // The member nearest to the group's middle: unlike the middle itself it always lies inside the group.
  anchorOf(cluster) {
    const { order, start } = this.groups;
    const [from, to] = [start[cluster + 1], start[cluster + 2]];
    if (from === to) return -1;
    let [x, y] = [0, 0];
    for (let j = from; j < to; j++) [x, y] = [x + this.points.x[order[j]], y + this.points.y[order[j]]];
    [x, y] = [x / (to - from), y / (to - from)];
    let [best, least] = [order[from], Infinity];
    for (let j = from; j < to; j++) {
      const far = (this.points.x[order[j]] - x) ** 2 + (this.points.y[order[j]] - y) ** 2;
      if (far < least) [best, least] = [order[j], far];
    }
    return best;
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    if (!box.width) return;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    [this.width, this.height] = [box.width, box.height];
    this.canvas.width = Math.round(box.width * this.ratio);
    this.canvas.height = Math.round(box.height * this.ratio);
    this.setHome();
    this.draw();
  }

  // The first view: the bulk of the points, both axes on about the same scale where they are of the same kind.
  setHome() {
    const [padX, padY] = [28, 42];
    const { x, y } = this.bulk;
    let sx = (this.width - 2 * padX) / Math.max(x[1] - x[0], 1);
    let sy = (this.height - 2 * padY) / Math.max(y[1] - y[0], 1);
    const scale = list(record.map.scale);
    if (isFlattened() && scale.length === 4) {
      const [unitX, unitY] = [(scale[1] - scale[0]) / 65535, (scale[3] - scale[2]) / 65535];
      const stretch = (sx / unitX) / (sy / unitY);
      if (stretch > 1.6) sx *= 1.6 / stretch;
      if (stretch < 1 / 1.6) sy *= stretch * 1.6;
    }
    this.home = { sx, sy, x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2 };
  }

  get view() {
    const { sx, sy, x, y } = this.home;
    return {
      sx: sx * this.zoom,
      sy: sy * this.zoom,
      ox: this.width / 2 - x * sx * this.zoom + this.shift[0],
      oy: this.height / 2 + y * sy * this.zoom + this.shift[1],
    };
  }

  place(i) {
    const { sx, sy, ox, oy } = this.view;
    return [this.points.x[i] * sx + ox, oy - this.points.y[i] * sy];
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.width) return;
    const style = getComputedStyle(this.canvas);
    this.ink = style.color;
    this.paper = style.getPropertyValue("--card").trim() || "#fff";
    this.fade = style.getPropertyValue("--fade").trim() || "#bbbbbb";
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    const inSight = this.points.n > DOTS ? this.countInSight() : this.points.n;
    // Grains of two pixels where the points are too sparse for one to be seen.
    if (inSight > DOTS) this.drawDensity(inSight < 120000 ? 2 : 1);
    else this.drawDots(inSight);
    this.drawNames();
    this.placeRing();
  }

  countInSight() {
    const { sx, sy, ox, oy } = this.view;
    const { x, y, n } = this.points;
    const [left, right] = [-ox / sx, (this.width - ox) / sx];
    const [bottom, top] = [(oy - this.height) / sy, oy / sy];
    let inside = 0;
    for (let i = 0; i < n; i++) if (x[i] >= left && x[i] <= right && y[i] >= bottom && y[i] <= top) inside++;
    return inside;
  }

  // Noise first, then the groups from the largest to the smallest, so that nothing small is buried; the picked one last.
  groupsInOrder() {
    const all = [NOISE, ...clusters.keys()];
    return picked.value === null ? all : [...all.filter((one) => one !== picked.value), picked.value];
  }

  drawDots(inSight) {
    const { sx, sy, ox, oy } = this.view;
    const { order, start } = this.groups;
    const context = this.context;
    const radius = Math.max(1.5, Math.min(6.5, 5.2 * (600 / Math.max(inSight, 120)) ** 0.3)) * Math.min(1, Math.max(0.7, this.width / 700));
    for (const cluster of this.groupsInOrder()) {
      const faded = isFaded(cluster);
      const size = cluster === NOISE ? radius * 0.7 : radius;
      context.beginPath();
      for (let j = start[cluster + 1]; j < start[cluster + 2]; j++) {
        const [px, py] = [this.points.x[order[j]] * sx + ox, oy - this.points.y[order[j]] * sy];
        if (px < -9 || py < -9 || px > this.width + 9 || py > this.height + 9) continue;
        context.moveTo(px + size, py);
        context.arc(px, py, size, 0, 6.2832);
      }
      context.globalAlpha = faded ? 0.35 : cluster === NOISE ? 0.75 : 0.85;
      context.fillStyle = faded ? this.fade : colorOf(cluster);
      context.fill();
      if (inSight < 3000 && !faded) {
        context.globalAlpha = 0.9;
        context.strokeStyle = this.paper;
        context.lineWidth = 0.8;
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }

  // Count the points in each pixel; the colour is the mix of theirs, the strength grows with the logarithm of their number.
  drawDensity(grain) {
    const { sx, sy, ox, oy } = this.view;
    const [width, height] = [Math.ceil(this.width / grain), Math.ceil(this.height / grain)];
    const cells = width * height;
    if (!this.sums || this.sums.length !== 4 * cells) this.sums = new Float32Array(4 * cells);
    const sums = this.sums.fill(0);
    const { order, start } = this.groups;
    for (const cluster of this.groupsInOrder()) {
      const faded = isFaded(cluster);
      const [r, g, b] = rgb(faded ? this.fade : colorOf(cluster));
      const weight = faded ? 0.08 : cluster === NOISE ? 0.3 : 1;
      for (let j = start[cluster + 1]; j < start[cluster + 2]; j++) {
        const px = Math.floor((this.points.x[order[j]] * sx + ox) / grain);
        const py = Math.floor((oy - this.points.y[order[j]] * sy) / grain);
        if (px < 0 || py < 0 || px >= width || py >= height) continue;
        const at = 4 * (py * width + px);
        sums[at] += r * weight;
        sums[at + 1] += g * weight;
        sums[at + 2] += b * weight;
        sums[at + 3] += weight;
      }
    }
    this.paint(sums, width, height, grain);
  }

  paint(sums, width, height, grain) {
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
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(buffer, 0, 0, width * grain, height * grain);
  }

  // Numbers stand on their groups, and names too where there is room: colour is never the only sign.
  drawNames() {
    const context = this.context;
    const taken = [];
    const take = (box) => taken.every((other) => box[0] > other[2] || box[2] < other[0] || box[1] > other[3] || box[3] < other[1]) && taken.push(box);
    Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
    const shown = picked.value === null ? [...clusters.keys()].slice(0, MOST_LABELS) : [picked.value];
    const placed = [];
    for (const cluster of shown) {
      if (!(this.anchors[cluster] >= 0)) continue;
      const [x, y] = this.place(this.anchors[cluster]);
      if (x < 0 || y < 0 || x > this.width || y > this.height) continue;
      if (take([x - 12, y - 11, x + 12, y + 11])) placed.push([cluster, x, y]);
    }
    for (const [cluster, x, y] of placed) {
      const name = clip(nameOf(cluster), 34);
      context.font = "600 12px system-ui, sans-serif";
      const half = context.measureText(name).width / 2;
      const middle = Math.max(half + 6, Math.min(this.width - half - 6, x));
      if (this.width > 520 && clusters.length <= 12 && take([middle - half, y + 12, middle + half, y + 28])) {
        Object.assign(context, { lineWidth: 5, strokeStyle: this.paper, fillStyle: this.ink });
        context.strokeText(name, middle, y + 20);
        context.fillText(name, middle, y + 20);
      }
    }
    for (const [cluster, x, y] of placed) {
      const color = colorOf(cluster);
      context.beginPath();
      context.arc(x, y, 11, 0, 6.2832);
      Object.assign(context, { lineWidth: 2, strokeStyle: this.paper, fillStyle: color });
      context.fill();
      context.stroke();
      context.font = "700 12px system-ui, sans-serif";
      context.fillStyle = inkOn(color);
      context.fillText(String(cluster), x, y + 0.5);
    }
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const before = this.view;
    const zoom = Math.min(400, Math.max(this.least(), this.zoom * factor));
    const real = zoom / this.zoom;
    const after = { ox: x - (x - before.ox) * real, oy: y - (y - before.oy) * real };
    this.zoom = zoom;
    this.shift = [0, 0];
    this.shift = [after.ox - this.view.ox, after.oy - this.view.oy];
    this.canvas.classList.toggle("zoomed", zoom > 1.001);
    this.redraw();
  }

  // Zooming out ends where every point is in sight.
  least() {
    const { x, y } = this.bulk;
    const part = Math.min(x[1] - x[0], y[1] - y[0]) / 65535;
    return part < 1 ? 0.5 * part : 1;
  }

  pan(dx, dy) {
    this.shift = [this.shift[0] + dx, this.shift[1] + dy];
    this.redraw();
  }

  reset() {
    Object.assign(this, { zoom: 1, shift: [0, 0], marked: -1 });
    this.canvas.classList.remove("zoomed");
    this.redraw();
  }

  mark(row) {
    const i = indexOfRow(this.points, row);
    if (i < 0) return false;
    Object.assign(this, { zoom: 1, shift: [0, 0], marked: i });
    const [x, y] = this.place(i);
    if (x < 10 || y < 10 || x > this.width - 10 || y > this.height - 10) this.shift = [this.width / 2 - x, this.height / 2 - y];
    this.redraw();
    this.tell(i);
    return true;
  }

  hover(x, y) {
    this.find ||= gridOf(this.points, sampledIn(this.points));
    const { sx, sy, ox, oy } = this.view;
    this.point(this.find((x - ox) / sx, (oy - y) / sy, REACH / sx, REACH / sy));
  }

  // Put the ring around a point and say what it is; -1 is none.
  point(i) {
    this.hovered = i;
    this.placeRing();
    this.tell(i);
  }

  placeRing() {
    const { ring } = this.overlay;
    const i = this.hovered >= 0 ? this.hovered : this.marked;
    ring.hidden = i < 0;
    if (i < 0) return;
    const [x, y] = this.place(i);
    ring.style.transform = `translate(${x}px, ${y}px)`;
  }

  // Show beside the point what the page has to say of its row.
  tell(i) {
    const { tip, look } = this.overlay;
    tip.hidden = i < 0;
    if (i < 0) return;
    const group = this.points.label[i];
    tip.replaceChildren(el("div", { class: "tip-head" }, badge(group), el("bdi", {}, nameOf(group))), ...look(this.points.row[i]));
    const [x, y] = this.place(i);
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width > this.width ? Math.max(4, x - box.width - 16) : x + 16;
    tip.style.transform = `translate(${left}px, ${Math.max(4, Math.min(this.height - box.height - 4, y - box.height / 2))}px)`;
  }

  listen() {
    const canvas = this.canvas;
    const on = (name, act, options) => canvas.addEventListener(name, act, options);
    const touches = new Map();
    let [moved, elsewhere] = [0, 0];
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    // A scroll that began elsewhere on the page goes on scrolling the page, and so does one that cannot zoom out further.
    addEventListener("wheel", (event) => { if (event.target !== canvas) elsewhere = performance.now(); }, { passive: true });
    on("wheel", (event) => {
      const now = performance.now();
      if (now - elsewhere < 350) return void (elsewhere = now);
      if (event.deltaY > 0 && this.zoom <= this.least() * 1.001) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) * 0.003), ...at(event));
    }, { passive: false });
    on("pointerdown", (event) => {
      touches.set(event.pointerId, at(event));
      moved = 0;
      canvas.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event) => {
      const here = at(event);
      if (!touches.has(event.pointerId)) return this.hover(...here);
      this.drag(touches, event.pointerId, here);
      moved += 1;
    });
    const end = (event) => {
      if (touches.delete(event.pointerId) && moved < 3 && event.type === "pointerup") this.hover(...at(event));
    };
    on("pointerup", end);
    on("pointercancel", end);
    on("pointerleave", () => this.point(-1));
    on("dblclick", (event) => this.zoomBy(2, ...at(event)));
    on("keydown", (event) => this.key(event));
  }

  drag(touches, id, here) {
    const before = touches.get(id);
    const other = [...touches].find(([key]) => key !== id);
    touches.set(id, here);
    if (!other) return this.pan(here[0] - before[0], here[1] - before[1]);
    const far = (point) => Math.hypot(point[0] - other[1][0], point[1] - other[1][1]);
    this.zoomBy(far(here) / Math.max(far(before), 1), (here[0] + other[1][0]) / 2, (here[1] + other[1][1]) / 2);
  }

  key(event) {
    const keys = {
      ArrowLeft: () => this.pan(60, 0),
      ArrowRight: () => this.pan(-60, 0),
      ArrowUp: () => this.pan(0, 60),
      ArrowDown: () => this.pan(0, -60),
      "+": () => this.zoomBy(1.5),
      "=": () => this.zoomBy(1.5),
      "-": () => this.zoomBy(1 / 1.5),
      0: () => this.reset(),
      Escape: () => { if (picked.value !== null) pick(picked.value); this.point(-1); },
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }
}
