// The map: a canvas with pan and zoom, the row under the pointer, and rows picked out with an outline.

const REACH = 12; // how near the pointer must come, in pixels

// Whether both directions of the map are mixtures of columns, so that their lengths compare.
const isFlattened = () => !["columns", "column"].includes(record.map.method);

class PointMap {
  constructor(points, canvas, overlay) {
    Object.assign(this, { points, canvas, overlay, tool: "move", zoom: 1, shift: [0, 0], hovered: -1, marked: -1 });
    this.context = canvas.getContext("2d");
    this.outline = new Outline(this, overlay.outline);
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
    this.inSight = inSight;
    // Grains of two pixels where the points are too sparse for one to be seen.
    if (inSight > DOTS) drawDensity(this, inSight < 120000 ? 2 : 1);
    else drawDots(this, inSight);
    drawNames(this);
    this.placeRing();
    this.placeOutline();
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

  placeOutline() {
    this.outline.show();
  }

  // Which of moving, drawing a loop and drawing a box the pointer does.
  use(tool) {
    this.tool = tool;
    this.canvas.classList.toggle("drawing", tool !== "move");
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
      if (touches.size === 1 && (this.tool !== "move" || event.shiftKey)) this.outline.begin(this.tool === "loop" ? "loop" : "box", at(event));
    });
    on("pointermove", (event) => {
      const here = at(event);
      if (!touches.has(event.pointerId)) return this.hover(...here);
      if (this.outline.kind) return this.outline.extend(here);
      this.drag(touches, event.pointerId, here);
      moved += 1;
    });
    const end = (event) => {
      if (!touches.delete(event.pointerId)) return;
      if (this.outline.kind) this.outline[event.type === "pointerup" ? "end" : "clear"]();
      else if (moved < 3 && event.type === "pointerup") this.hover(...at(event));
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
    if (this.outline.kind === "keys" && this.boxKey(event)) return event.preventDefault();
    const keys = {
      b: () => this.outline.beginByKeys(),
      ArrowLeft: () => this.pan(60, 0),
      ArrowRight: () => this.pan(-60, 0),
      ArrowUp: () => this.pan(0, 60),
      ArrowDown: () => this.pan(0, -60),
      "+": () => this.zoomBy(1.5),
      "=": () => this.zoomBy(1.5),
      "-": () => this.zoomBy(1 / 1.5),
      0: () => this.reset(),
      Escape: () => {
        if (selection.points) this.outline.clear();
        else if (picked.value !== null) pick(picked.value);
        this.point(-1);
      },
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  // Keys while a box is moved by them; whether the key was one.
  boxKey(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (steps[event.key]) this.outline.move(...steps[event.key], event.shiftKey);
    else if (event.key === "Enter") this.outline.end();
    else if (event.key === "Escape") this.outline.clear();
    else return false;
    return true;
  }
}
