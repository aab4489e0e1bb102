// The product graph on a canvas: every state a dot, in the field of its pair of states, or by depth.

const AXIS_LEFT = 92; // pixels for the names beside the fields
const AXIS_TOP = 36;

class Product {
  // onPick: called with the number of a state that was clicked; onHover: with a text.
  constructor(canvas, onPick, onHover) {
    this.view = new View(canvas, (context) => this.paint(context));
    this.view.onClick = (x, y) => {
      const state = this.nearest(x, y);
      if (state >= 0) onPick(state);
    };
    this.view.onHover = (x, y) => {
      const state = this.graph && x >= 0 ? this.nearest(x, y) : -1;
      if (state !== this.hovered) onHover(state < 0 ? "" : this.told(state));
      this.hovered = state;
    };
    this.marked = [];
    this.showsSteps = false;
  }

  told(state) {
    return `state ${state}, depth ${this.graph.depthOf(state)}: ${this.graph.both(state)}`;
  }

  load(graph, arrangement) {
    this.graph = graph;
    this.marked = [];
    this.kinds = Array.from({ length: graph.size }, (_, state) => {
      if (state === 0) return "initial";
      if (graph.isClosed(state)) return "final";
      return graph.isStuck(state) ? "bad" : "plain";
    });
    this.arrange(arrangement);
  }

  arrange(arrangement) {
    const { view, graph } = this;
    this.isByDepth = arrangement === "depth";
    view.inset = this.isByDepth ? { left: 0, top: 0 } : { left: AXIS_LEFT, top: AXIS_TOP };
    const places = this.isByDepth ? byDepth(graph, view.room()) : byPair(graph, view.room());
    [this.x, this.y, view.world] = [places.x, places.y, places.world];
    [this.fields, this.columns, this.rows] = [places.fields, places.columns, places.rows];
    view.fit();
  }

  nearest(x, y) {
    let [best, distance] = [-1, NEAR * NEAR];
    for (let state = 0; state < this.graph.size; state++) {
      const [dx, dy] = [this.view.x(this.x[state]) - x, this.view.y(this.y[state]) - y];
      const found = dx * dx + dy * dy;
      if (found < distance) [best, distance] = [state, found];
    }
    return best;
  }

  // Mark the run, and the state that is inspected.
  show(run, at, shown) {
    [this.run, this.at, this.shown] = [run, at, shown];
    this.view.reveal(this.x[shown], this.y[shown]);
    this.view.redraw();
  }

  mark(states) {
    this.marked = states;
    this.view.redraw();
  }

  // Painting -----------------------------------------------------------------------------------

  paint(context) {
    if (!this.graph || !this.run) return;
    this.ink = inks(this.view.canvas);
    this.paintFields(context);
    if (this.showsSteps) this.paintEveryStep(context);
    this.paintStates(context);
    this.paintRun(context);
    this.paintStepsOf(context, this.shown);
    this.ring(context, this.shown, this.ink.now, 3);
    this.paintAxes(context);
  }

  paintFields(context) {
    const { view, ink } = this;
    context.fillStyle = ink.field;
    for (const { x, y, width, height } of this.fields) {
      const corner = [view.x(x - 0.6), view.y(y - 0.6)];
      context.fillRect(...corner, (width + 1.2) * view.scale, (height + 1.2) * view.scale);
    }
  }

  // The names of the columns and rows, which stay where they can be read.
  paintAxes(context) {
    if (this.isByDepth) return;
    const { view, ink } = this;
    context.fillStyle = ink.page;
    context.fillRect(0, 0, view.width, AXIS_TOP);
    context.fillRect(0, 0, AXIS_LEFT, view.height);
    context.font = "600 10.5px system-ui, sans-serif";
    context.fillStyle = ink.muted;
    context.textBaseline = "middle";
    context.textAlign = "center";
    this.columns.forEach(({ name, from, size }, i) => {
      const middle = view.x(from + size / 2);
      const room = 2 * (size + GAP) * view.scale - 8;
      const line = AXIS_TOP * (i % 2 ? 0.72 : 0.3); // in two lines, so that none is squeezed
      const half = Math.min(context.measureText(name).width, room) / 2;
      const x = Math.min(middle, Math.max(view.width - half - 4, middle - half));
      if (middle > AXIS_LEFT + 10) context.fillText(name, x, line, room);
    });
    context.textAlign = "right";
    for (const { name, from, size } of this.rows) {
      const middle = view.y(from + size / 2);
      if (middle > AXIS_TOP + 4) context.fillText(name, AXIS_LEFT - 6, middle, AXIS_LEFT - 8);
    }
    context.textAlign = "left";
    context.fillStyle = ink.now;
    context.fillText("B ↓   A →", 6, AXIS_TOP / 2);
  }

  paintEveryStep(context) {
    const { graph } = this;
    context.strokeStyle = this.ink.plain;
    context.globalAlpha = Math.max(0.04, Math.min(0.4, 600 / graph.target.length));
    context.lineWidth = 1;
    context.beginPath();
    for (let step = 0; step < graph.target.length; step++) this.line(context, step);
    context.stroke();
    context.globalAlpha = 1;
  }

  line(context, step) {
    const { view, graph } = this;
    const [source, target] = [graph.source[step], graph.target[step]];
    context.moveTo(view.x(this.x[source]), view.y(this.y[source]));
    context.lineTo(view.x(this.x[target]), view.y(this.y[target]));
  }

  paintStates(context) {
    const { view, ink } = this;
    const radius = Math.min(7, Math.max(1.2, view.scale * 0.36));
    const marked = new Set(this.marked);
    for (let state = 0; state < this.graph.size; state++) {
      const [x, y] = [view.x(this.x[state]), view.y(this.y[state])];
      if (x < -9 || y < -9 || x > view.width + 9 || y > view.height + 9) continue;
      const kind = this.kinds[state];
      context.globalAlpha = marked.size && !marked.has(state) ? 0.25 : 1;
      context.fillStyle = marked.has(state) ? ink.match : ink[kind];
      const size = kind === "plain" && !marked.has(state) ? radius : radius * 1.35;
      if (kind === "bad") context.fillRect(x - size, y - size, 2 * size, 2 * size);
      else {
        context.beginPath();
        context.arc(x, y, size, 0, 7);
        context.fill();
      }
    }
    context.globalAlpha = 1;
    this.ring(context, 0, ink.initial, 2);
  }

  paintRun(context) {
    const { view, run, ink } = this;
    run.steps.forEach((step, i) => {
      const isDone = i < this.at;
      this.arrow(context, step, isDone ? ink.run : ink.ahead, isDone ? 2.4 : 1.6);
    });
    run.states.forEach((state) => {
      context.beginPath();
      context.fillStyle = ink.run;
      context.arc(view.x(this.x[state]), view.y(this.y[state]), 3.2, 0, 7);
      context.fill();
    });
  }

  paintStepsOf(context, state) {
    for (const step of this.graph.steps(state)) this.arrow(context, step, this.ink.step, 1.2);
  }

  arrow(context, step, colour, width) {
    const { view, graph } = this;
    const [source, target] = [graph.source[step], graph.target[step]];
    if (source === target) return;
    const [x, y] = [view.x(this.x[target]), view.y(this.y[target])];
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    this.line(context, step);
    context.stroke();
    const angle = Math.atan2(y - view.y(this.y[source]), x - view.x(this.x[source]));
    context.beginPath();
    context.moveTo(x, y);
    for (const turn of [-0.4, 0.4]) {
      context.lineTo(x - 8 * Math.cos(angle + turn), y - 8 * Math.sin(angle + turn));
    }
    context.fill();
  }

  ring(context, state, colour, width) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(this.view.x(this.x[state]), this.view.y(this.y[state]), 7, 0, 7);
    context.stroke();
  }
}

// The colours that the style has for the canvas, as they are in the theme of the moment.
function inks(canvas) {
  const found = {};
  const before = canvas.style.color;
  for (const name of INKS) {
    canvas.style.color = `var(--${name})`;
    found[name] = getComputedStyle(canvas).color;
  }
  canvas.style.color = before;
  return found;
}

const INKS = [
  "page", "field", "muted", "plain", "initial", "final", "bad", "match", "run", "ahead", "step", "now",
];
