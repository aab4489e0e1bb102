// A canvas that is panned and zoomed: by dragging and the wheel, or by the keys while it has focus.

const NEAR = 12; // pixels within which a click is on a point
const BORDER = 10; // pixels left free around the drawing
const PAN = 60;
const ZOOM = 1.4;

class View {
  // paint(context, view): draws everything in world coordinates mapped by view.x and view.y.
  constructor(canvas, paint) {
    this.canvas = canvas;
    this.paint = paint;
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.world = { width: 1, height: 1 };
    this.inset = { left: 0, top: 0 }; // pixels that are not for the drawing
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  x(world) {
    return (world - this.left) * this.scale;
  }

  y(world) {
    return (world - this.top) * this.scale;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height || (width === this.width && height === this.height)) return;
    const isFirst = !this.width;
    [this.width, this.height] = [width, height];
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.ratio = ratio;
    if (isFirst || this.isFitted) this.fit();
    else this.redraw();
  }

  redraw() {
    if (this.asked || !this.width) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      const context = this.canvas.getContext("2d");
      context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      context.clearRect(0, 0, this.width, this.height);
      this.paint(context, this);
    });
  }

  // Pixels across and down that the drawing has.
  room() {
    const [width, height] = [this.width ?? 600, this.height ?? 500];
    return [width - this.inset.left - 2 * BORDER, height - this.inset.top - 2 * BORDER];
  }

  fit() {
    if (!this.width) return;
    const { width, height } = this.world;
    const [wide, high] = this.room();
    this.scale = Math.min(wide / width, high / height);
    this.left = (width - wide / this.scale) / 2 - (this.inset.left + BORDER) / this.scale;
    this.top = (height - high / this.scale) / 2 - (this.inset.top + BORDER) / this.scale;
    this.isFitted = true;
    this.least = this.scale / 2;
    this.redraw();
  }

  // Zoom so that the point of the world under (x, y) stays there; default: the middle.
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(40, Math.max(this.least, this.scale * factor));
    this.left += x / this.scale - x / scale;
    this.top += y / this.scale - y / scale;
    this.scale = scale;
    this.isFitted = false;
    this.redraw();
  }

  pan(dx, dy) {
    this.left -= dx / this.scale;
    this.top -= dy / this.scale;
    this.isFitted = false;
    this.redraw();
  }

  // Pan, if it must be, so that a point of the world can be seen.
  reveal(x, y) {
    if (!this.width) return;
    const [seenX, seenY] = [this.x(x), this.y(y)];
    if (seenX < this.inset.left + 20 || seenX > this.width - 20) this.left = x - this.width / 2 / this.scale;
    if (seenY < this.inset.top + 20 || seenY > this.height - 20) this.top = y - this.height / 2 / this.scale;
  }

  listen() {
    const { canvas } = this;
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      drag = { x: event.clientX, y: event.clientY, moved: 0 };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      if (!drag) return this.onHover?.(event.clientX - box.left, event.clientY - box.top);
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      drag = { x: event.clientX, y: event.clientY, moved: drag.moved + Math.hypot(dx, dy) };
      if (drag.moved > 4) this.pan(dx, dy);
    });
    canvas.addEventListener("pointerup", (event) => {
      const box = canvas.getBoundingClientRect();
      const isClick = drag && drag.moved <= 4;
      drag = null;
      if (isClick) this.onClick?.(event.clientX - box.left, event.clientY - box.top);
    });
    canvas.addEventListener("pointercancel", () => (drag = null));
    canvas.addEventListener("pointerleave", () => this.onHover?.(-1, -1));
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const box = canvas.getBoundingClientRect();
        const lines = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
        this.zoom(Math.exp(-lines / 400), event.clientX - box.left, event.clientY - box.top);
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const pans = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in pans) this.pan(pans[event.key][0] * PAN, pans[event.key][1] * PAN);
    else if (event.key === "+" || event.key === "=") this.zoom(ZOOM);
    else if (event.key === "-") this.zoom(1 / ZOOM);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
