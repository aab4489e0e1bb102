// The ladder of the current run: a row for each step, arrows from where a segment is sent to where
// it arrives, or is lost. The rows are the options of a list box; the arrows are for the eyes only.

const ROW = 46; // pixels, as --row in the style
const FLYING_ROW = 30;
const LOST_AT = 72; // per cent of the way

// An element with a class, attributes and text or children.
function made(tag, className = "", content = [], attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...[content].flat());
  return element;
}

function drawn(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

class Ladder {
  // list: the element of the list box. onGo: called with the position that was asked for.
  constructor(list, onGo) {
    this.list = list;
    this.run = null;
    list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) onGo(Number(row.dataset.row));
    });
  }

  // Show a run, at a position.
  show(run, at) {
    if (run !== this.run) this.build(run);
    this.rows.forEach((row, i) => {
      row.setAttribute("aria-selected", String(i === at));
      row.classList.toggle("ahead", i > at);
    });
    this.list.setAttribute("aria-activedescendant", this.rows[at].id);
    const [top, height] = [this.rows[at].offsetTop, this.list.clientHeight];
    const seen = this.list.scrollTop;
    if (top < seen + ROW || top > seen + height - 2 * ROW) {
      this.list.scrollTop = Math.max(0, top - height / 2);
    }
  }

  build(run) {
    this.run = run;
    const found = flights(run);
    const flying = found.filter((flight) => flight.how === "flying");
    this.rows = run.states.map((_, row) => this.row(run, row, found));
    const picture = drawn("svg", { class: "arrows", "aria-hidden": "true" });
    picture.setAttribute("height", ROW * this.rows.length + FLYING_ROW * flying.length + 8);
    picture.append(...this.lifelines(run, flying.length), ...this.arrows(found, flying));
    const tail = flying.map((flight) => made("div", "tail", this.flightLabel(flight)));
    tail.forEach((row) => row.setAttribute("aria-hidden", "true"));
    this.list.replaceChildren(picture, ...this.rows, ...tail);
  }

  row(run, row, found) {
    const graph = run.graph;
    const parts = ENDS.map((name, end) => {
      const state = graph.stateName(run.states[row], end);
      const isNew = row === 0 || state !== graph.stateName(run.states[row - 1], end);
      const kind = state === graph.data.closed ? "closed" : state.toLowerCase();
      return made("span", `state ${"ab"[end]} ${kind}${isNew ? " new" : ""}`, state);
    });
    if (row > 0) parts.push(...this.event(graph, run.steps[row - 1]));
    const landed = (flight) => flight.ends === row && flight.how !== "flying";
    parts.push(...found.filter(landed).map((flight) => this.flightLabel(flight)));
    if (run.loop === row) {
      const words = row === run.length ? "nothing changes any more" : "from here on it repeats";
      parts.push(made("span", "loop-note", made("i", "", words)));
    }
    parts.forEach((part) => part.setAttribute("aria-hidden", "true"));
    const attributes = { role: "option", id: `row-${row}`, "data-row": row };
    attributes["aria-label"] = this.spoken(run, row);
    const classes = ["row"];
    if (run.loop !== null && row > run.loop) classes.push("loops");
    if (run.loop === row) classes.push("loop-begins");
    return made("div", classes.join(" "), parts, attributes);
  }

  spoken(run, row) {
    const loops = run.loop === row ? ". From here on it repeats for ever" : "";
    return run.told(row) + loops;
  }

  // The words of a step that is not the arrival or the loss of a segment.
  event(graph, step) {
    const action = graph.action(step);
    if (action.actor === TIME) return [made("span", "event time", action.words)];
    const end = "ab"[action.actor];
    if (action.segment === NO_SEGMENT) return [made("span", `event ${end}`, action.words)];
    const copied = graph.is(action, "SEGMENT_IS_DUPLICATED");
    return copied ? [made("span", "event time", `${graph.text(step)}`)] : [];
  }

  flightLabel(flight) {
    const kind = flight.how === "arrives" && this.run.graph.isReset(flight.segment) ? "reset" : "";
    const text = flight.how === "flying" ? `${flight.label}, in flight` : flight.label;
    const atOnce = flight.how === "lost" && flight.sent === flight.ends ? "at-once" : "";
    return made("span", `segment to-${"ba"[flight.from]} ${flight.how} ${kind} ${atOnce}`, text);
  }

  lifelines(run, flying) {
    const middle = (row) => ROW * row + ROW / 2;
    const bottom = middle(run.length) + FLYING_ROW * flying;
    const lines = ENDS.map((_, end) =>
      drawn("line", { class: "life", x1: `${100 * end}%`, x2: `${100 * end}%`, y1: 4, y2: bottom }),
    );
    ENDS.forEach((_, end) => {
      for (const [from, to] of this.waits(run, end)) {
        const x = `${100 * end}%`;
        lines.push(drawn("line", { class: "wait", x1: x, x2: x, y1: middle(from), y2: middle(to) }));
      }
    });
    run.steps.forEach((step, i) => {
      const action = run.graph.action(step);
      if (action.segment !== NO_SEGMENT || action.actor === TIME) return;
      const place = { cx: `${100 * action.actor}%`, cy: middle(i + 1), r: 4 };
      lines.push(drawn("circle", { class: "dot", ...place }));
    });
    return lines;
  }

  // The rows between which an end is in TIME-WAIT.
  *waits(run, end) {
    let began = -1;
    for (let row = 0; row <= run.length; row++) {
      const waits = run.graph.stateName(run.states[row], end) === "TIME_WAIT";
      if (waits && began < 0) began = row;
      if (began >= 0 && (!waits || row === run.length)) {
        yield [began, row];
        began = -1;
      }
    }
  }

  arrows(found, flying) {
    return found.map((flight) => {
      const [x, full] = flight.from ? [100, -100] : [0, 100];
      const isLost = flight.how !== "arrives";
      const y1 = ROW * flight.sent + ROW / 2;
      const below = ROW * this.rows.length + FLYING_ROW * (flying.indexOf(flight) + 0.5);
      let y2 = flight.how === "flying" ? below : ROW * flight.ends + ROW / 2;
      if (y2 === y1) y2 += ROW / 2; // sent and lost in one step
      const end = `${x + (full * (isLost ? LOST_AT : 100)) / 100}%`;
      const kind = this.run.graph.isReset(flight.segment) ? "reset" : "normal";
      return drawn("line", {
        class: `arrow ${flight.how} ${kind}`,
        x1: `${x}%`,
        y1,
        x2: end,
        y2,
        "marker-end": `url(#${isLost ? "cross" : "head"}${kind === "reset" ? "-reset" : ""})`,
        "data-flight": `${flight.sent} ${flight.ends} ${flight.how} ${ENDS[flight.from]}`,
      });
    });
  }
}
