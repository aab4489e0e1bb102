// The folded graph: pairs (state of A, state of B), with the current pair, step and run marked.
// reports/explorer_folded.py has laid it out.

const LABEL_LINE = 13.75; // pixels from one line of a label to the next
const NODE_LINE = 16.25;
const ZOOM_STEP = 1.25;

class Folded {
  // frame: the element that scrolls. onPick: called with the number of a node that was clicked.
  constructor(frame, onPick) {
    this.frame = frame;
    frame.addEventListener("click", (event) => {
      const node = event.target.closest("[data-node]");
      if (node) onPick(Number(node.dataset.node));
    });
  }

  load(graph) {
    const data = graph.data.folded;
    this.graph = graph;
    this.data = data;
    this.index = new Map(data.nodes.map(([lines], i) => [lines.join(" "), i]));
    this.svg = drawn("svg", {
      viewBox: `0 0 ${data.width} ${data.height}`,
      role: "img",
      "aria-label": `${data.nodes.length} pairs of states; the current step is told beside it`,
    });
    this.arrows = data.arrows.map((arrow) => this.arrow(arrow));
    this.nodes = data.nodes.map((node, i) => this.node(node, i));
    const labels = data.arrows.map((arrow, i) => this.label(arrow, i));
    this.svg.append(...this.arrows, ...labels, ...this.nodes);
    this.labels = labels;
    this.frame.replaceChildren(this.svg);
    this.fit();
  }

  arrow([, , kind, points]) {
    const [x, y, ...rest] = points;
    const attributes = { class: `link ${kind}`, d: `M${x},${y}C${rest.join(" ")}` };
    return drawn("path", { ...attributes, "marker-end": "url(#tip)" });
  }

  label([, , , , lines, x, y, width, height]) {
    const group = drawn("g", { class: "link-label" });
    if (!lines.length) return group;
    const box = { x: x - width / 2, y: y - height / 2, width, height, rx: 3 };
    group.append(drawn("rect", box));
    lines.forEach(([text, kind], i) => {
      const baseline = y - height / 2 + LABEL_LINE * (i + 0.76);
      const line = drawn("text", { x, y: baseline, class: kind });
      line.textContent = text;
      group.append(line);
    });
    return group;
  }

  node([lines, note, kind, x, y, width, height], i) {
    const group = drawn("g", { class: `pair ${kind}`, "data-node": i });
    group.append(drawn("rect", { x, y, width, height, rx: 7 }));
    if (kind === "final") {
      const ring = { x: x + 3, y: y + 3, width: width - 6, height: height - 6, rx: 5 };
      group.append(drawn("rect", { ...ring, class: "ring" }));
    }
    const texts = note ? [...lines, note] : lines;
    texts.forEach((text, j) => {
      const middle = y + height / 2 + (j - (texts.length - 1) / 2) * NODE_LINE + 4.5;
      const isNote = j === lines.length;
      const at = { x: x + width / 2, y: middle, class: isNote ? "note" : "name" };
      const line = drawn("text", at);
      line.textContent = text;
      group.append(line);
    });
    return group;
  }

  nodeOf(state) {
    return this.index.get(`${this.graph.stateName(state, 0)} ${this.graph.stateName(state, 1)}`);
  }

  // Mark the run, the step before a position and the state at it; `shown` is the state inspected.
  show(run, at, shown) {
    const nodes = run.states.map((state) => this.nodeOf(state));
    const moves = new Set(nodes.slice(1).map((node, i) => `${nodes[i]} ${node}`));
    const now = at > 0 ? `${nodes[at - 1]} ${nodes[at]}` : "";
    const current = this.nodeOf(shown);
    this.data.arrows.forEach(([tail, head], i) => {
      const key = `${tail} ${head}`;
      for (const part of [this.arrows[i], this.labels[i]]) {
        part.classList.toggle("on-run", moves.has(key));
        part.classList.toggle("now", key === now && current === nodes[at]);
      }
      const tip = key === now ? "tip-now" : moves.has(key) ? "tip-run" : "tip";
      this.arrows[i].setAttribute("marker-end", `url(#${tip})`);
    });
    this.nodes.forEach((node, i) => {
      node.classList.toggle("on-run", nodes.includes(i));
      node.classList.toggle("now", i === current);
    });
    this.reveal(current);
  }

  // Mark the pairs that have a state among those found.
  mark(states) {
    const found = new Set(states.map((state) => this.nodeOf(state)));
    this.nodes.forEach((node, i) => node.classList.toggle("match", found.has(i)));
  }

  reveal(node) {
    const [, , , x, y, width, height] = this.data.nodes[node];
    const { frame, scale } = this;
    const [middleX, middleY] = [(x + width / 2) * scale, (y + height / 2) * scale];
    const isOutside = (middle, size, from, room) =>
      middle - (size * scale) / 2 < from || middle + (size * scale) / 2 > from + room;
    if (isOutside(middleX, width, frame.scrollLeft, frame.clientWidth)) {
      frame.scrollLeft = middleX - frame.clientWidth / 2;
    }
    if (isOutside(middleY, height, frame.scrollTop, frame.clientHeight)) {
      frame.scrollTop = middleY - frame.clientHeight / 2;
    }
  }

  // As large as the frame lets it be, but large enough to read.
  fit() {
    const { width, height } = this.data;
    const room = Math.min(
      (this.frame.clientWidth - 4) / width,
      (this.frame.clientHeight - 4) / height,
    );
    this.scaleTo(Math.min(1.2, Math.max(room, 0.72)));
  }

  zoom(steps) {
    this.scaleTo(Math.min(3, Math.max(0.2, this.scale * ZOOM_STEP ** steps)));
  }

  scaleTo(scale) {
    const { frame } = this;
    const ratio = scale / (this.scale ?? scale);
    const left = (frame.scrollLeft + frame.clientWidth / 2) * ratio - frame.clientWidth / 2;
    const top = (frame.scrollTop + frame.clientHeight / 2) * ratio - frame.clientHeight / 2;
    this.scale = scale;
    this.svg.setAttribute("width", Math.round(this.data.width * scale));
    this.svg.setAttribute("height", Math.round(this.data.height * scale));
    frame.scrollLeft = left;
    frame.scrollTop = top;
  }
}
