// A run: the choices that were made, one state after the other, and how far one has stepped in it.

class Run {
  // choices: of each state, which of its steps comes next, counted from 0.
  // loop: the number of the state from which on the steps repeat for ever, or null.
  // Throws an Error with a message for people where there is no such step.
  constructor(graph, choices = [], loop = null) {
    this.graph = graph;
    this.choices = choices;
    this.loop = loop;
    this.states = [0];
    this.steps = [];
    choices.forEach((choice, i) => {
      const possible = graph.steps(this.last);
      if (!(choice < possible.length)) {
        const known = possible.length ? `has ${possible.length}` : "has no known steps";
        throw new Error(`its step ${i + 1} is choice ${choice}, but the state before it ${known}`);
      }
      this.steps.push(possible[choice]);
      this.states.push(graph.target[possible[choice]]);
    });
    if (loop !== null && this.states[loop] !== this.last) {
      throw new Error(`it does not come back to where it was after step ${loop}`);
    }
  }

  get last() {
    return this.states.at(-1);
  }

  get length() {
    return this.steps.length;
  }

  // The run that does what this one does up to a position, and then makes a choice.
  chosen(at, choice) {
    if (this.choices[at] === choice) return this;
    return new Run(this.graph, [...this.choices.slice(0, at), choice]);
  }

  // A sentence about a position in the run.
  told(at) {
    const both = this.graph.both(this.states[at]);
    if (at === 0) return `Start: ${both}`;
    return `Step ${at} of ${this.length}: ${this.graph.text(this.steps[at - 1])}. ${both}`;
  }
}

// Where each segment that was sent comes to: [{sent, ends, how, from, segment, label}].
//
// sent, ends: rows, 0 being the initial state. how: "arrives", "lost" or "flying". from: an end.
function flights(run) {
  const graph = run.graph;
  const found = [];
  const flying = [[], []]; // towards A, towards B
  const land = (to, flight, row, how) => {
    flying[to].splice(flying[to].indexOf(flight), 1);
    flight.ends = row;
    flight.how = how;
  };
  run.steps.forEach((step, i) => {
    const action = graph.action(step);
    const [row, to] = [i + 1, action.actor];
    if (action.segment !== NO_SEGMENT) {
      const wanted = graph.stripped(action.segment);
      const flight = flying[to].find((other) => other.segment === wanted);
      if (graph.is(action, "SEGMENT_ARRIVES")) {
        // In a set that duplicates, what arrives stays in flight: then a copy of it arrives.
        const stays = flying[to].filter((other) => other.segment === wanted).length;
        const after = graph.channelTo(run.states[row], to).map((seg) => graph.stripped(seg));
        if (after.filter((seg) => seg === wanted).length < stays) land(to, flight, row, "arrives");
        else {
          flight.hasArrived = true;
          found.push({ ...flight, ends: row, how: "arrives" });
        }
      } else if (graph.is(action, "SEGMENT_IS_LOST")) land(to, flight, row, "lost");
      else {
        const copy = { ...flight };
        flying[to].push(copy);
        found.push(copy);
      }
    }
    if (action.sent !== NO_SEGMENT) {
      const label = action.sentLabel;
      const flight = { sent: row, ends: row, how: "flying", from: to, segment: action.sent, label };
      flying[1 - to].push(flight);
      found.push(flight);
      if (action.overflow) land(1 - to, flight, row, "lost");
    }
    reconcile(graph, run.states[row], flying, row, land);
  });
  return found.filter((flight) => flight.how !== "flying" || !flight.hasArrived);
}

// Lose what has left a channel by itself: dead of age, or one with an equal one.
function reconcile(graph, state, flying, row, land) {
  ENDS.forEach((_, to) => {
    const there = graph.channelTo(state, to).map((segment) => graph.stripped(segment));
    const surplus = new Map();
    for (const { segment } of flying[to]) surplus.set(segment, (surplus.get(segment) ?? 0) + 1);
    for (const segment of there) surplus.set(segment, (surplus.get(segment) ?? 0) - 1);
    for (const flight of [...flying[to]]) {
      if (surplus.get(flight.segment) > 0) {
        surplus.set(flight.segment, surplus.get(flight.segment) - 1);
        land(to, flight, row, "lost");
      }
    }
  });
}

// The run as a ladder in text, as `tcpclose run --no-notes` prints it and reads it back.
function ladderText(run) {
  const { graph, states, steps } = run;
  const line = (state) => `${graph.stateName(state, 0).padEnd(44)}${graph.stateName(state, 1)}`;
  const isTick = (i) => graph.action(steps[i]).actor === TIME;
  const lines = [line(0)];
  for (let i = 0; i < steps.length; i++) {
    if (run.loop === i) lines.push("LOOP");
    if (!isTick(i)) {
      lines.push(rung(graph, steps[i]));
      continue;
    }
    const first = i;
    while (i + 1 < steps.length && isTick(i + 1) && i + 1 !== run.loop) i++;
    const [count, word] = [i + 1 - first, graph.text(steps[i])];
    lines.push(count === 1 ? word : `${count} ${word}S`);
  }
  if (run.loop === steps.length) {
    lines.push("LOOP  # nothing that changes anything happens any more");
  }
  return [...lines, line(run.last)].map((text) => `${text.trimEnd()}\n`).join("");
}

function rung(graph, step) {
  const action = graph.action(step);
  if (action.segment === NO_SEGMENT) return `${ENDS[action.actor]} ${action.words}`;
  const receiver = graph.tcbOf(graph.source[step], action.actor);
  const label = graph.label(action.segment, receiver, graph.numbered.has(step));
  const [toB, toA] = graph.is(action, "SEGMENT_ARRIVES")
    ? [">", "<"]
    : graph.is(action, "SEGMENT_IS_LOST") ? ["x", "x"] : ["+", "+"];
  const dashes = "-".repeat(Math.max(27 - [...label].length - 5, 2));
  const arrow = action.actor ? `-- ${label} ${dashes}${toB}` : `${toA}${dashes} ${label} --`;
  const [a, b] = ENDS.map((_, end) => graph.stateName(graph.target[step], end));
  return `${a.padEnd(14)}${arrow.padEnd(27)}   ${b}`;
}

// Links --------------------------------------------------------------------------------------

const LONGEST_RUN = 100_000;

// The fragment of a link to a position in a run of a model.
function fragmentOf(model, run, at) {
  const parts = { model: model.name, graph: model.mark, run: run.choices.join(".") };
  if (run.loop !== null) parts.loop = run.loop;
  parts.at = at;
  const encoded = Object.entries(parts).map(([k, v]) => `${k}=${encodeURIComponent(v)}`);
  return `#${encoded.join("&")}`;
}

// What a fragment says: {model, choices, loop, at}, or null if it is about no run.
// Throws an Error with a message for people where it cannot be followed in this report.
function readFragment(fragment, models) {
  if (!/(^#|&)run=/.test(fragment)) return null;
  const parts = new Map();
  for (const part of fragment.slice(1).split("&")) {
    const [name, ...rest] = part.split("=");
    const value = rest.join("=");
    try {
      parts.set(name, decodeURIComponent(value));
    } catch {
      throw new Error(`“${value}” is not text that a link can hold`);
    }
  }
  const name = parts.get("model") ?? "";
  const model = models.find((m) => m.mark === parts.get("graph") && m.name === name);
  if (!model) {
    const known = models.some((m) => m.name === name);
    throw new Error(
      known
        ? `it was made from another version of the model ${name}: its steps are not those here`
        : `the model “${name}” is not in this report`,
    );
  }
  const text = parts.get("run");
  const choices = text === "" ? [] : text.split(".").map((part) => whole(part, "a choice"));
  if (choices.length > LONGEST_RUN) throw new Error("its run is too long");
  const loop = parts.has("loop") ? whole(parts.get("loop"), "where the run loops") : null;
  const at = parts.has("at") ? whole(parts.get("at"), "a position") : choices.length;
  if (at > choices.length) throw new Error(`the run has ${choices.length} steps and no step ${at}`);
  if (loop !== null && loop > choices.length) throw new Error(`there is no step ${loop} to loop to`);
  return { model, choices, loop, at };
}

function whole(text, what) {
  if (!/^\d{1,6}$/.test(text)) throw new Error(`“${text}” is not the number of ${what}`);
  return Number(text);
}
