// The graph that a report holds; reports/explorer_graph.py wrote it.
//
// A state is its number, in breadth-first order; 0 is the initial one. A step is its number, too:
// those of a state follow each other, in the order of `tcpclose walk`. A TCB, a channel and a
// segment are numbers of the tables. `end` is 0 for A and 1 for B.

const ENDS = ["A", "B"];
const NO_SEGMENT = -1;
const TIME = 2;

class Graph {
  constructor(data) {
    this.data = data;
    this.size = data.a.length;
    this.expanded = data.steps.length;
    this.whole = data.whole;
    this.first = [0];
    for (const count of data.steps) this.first.push(this.first.at(-1) + count);
    this.source = new Int32Array(data.target.length);
    this.target = new Int32Array(data.target.length);
    for (let state = 0; state < this.expanded; state++) {
      for (let step = this.first[state]; step < this.first[state + 1]; step++) {
        this.source[step] = state;
        this.target[step] = state + data.target[step];
      }
    }
    this.labels = new Map();
    for (let i = 0; i < data.labels.length; i += 3) {
      this.labels.set(data.labels[i] * data.tcbs.length + data.labels[i + 1], data.labels[i + 2]);
    }
    let last = 0;
    this.numbered = new Set(data.numbered.map((delta) => (last += delta)));
    this.eventWords = new Map(Object.values(data.events));
  }

  // Numbers of the steps from a state; none where they are not known.
  steps(state) {
    if (state >= this.expanded) return [];
    const [from, to] = [this.first[state], this.first[state + 1]];
    return Array.from({ length: to - from }, (_, i) => from + i);
  }

  tcbOf(state, end) {
    return (end ? this.data.b : this.data.a)[state];
  }

  // The segments on their way to an end.
  channelTo(state, end) {
    return this.data.channels[(end ? this.data.ab : this.data.ba)[state]];
  }

  losses(state) {
    return this.data.losses[state] ?? 0;
  }

  // The fields of a TCB by name, in the table's order. Of one that is deleted only some are left.
  fields(tcb) {
    const [kind, ...values] = this.data.tcbs[tcb];
    const pairs = this.data.fields[kind].map((name, i) => [name, values[i]]);
    const isDeleted = values[0] === this.data.closed;
    return new Map(
      pairs.filter(([name]) => !isDeleted || name === "state" || this.data.kept.includes(name)),
    );
  }

  stateName(state, end) {
    return this.data.tcbs[this.tcbOf(state, end)][1];
  }

  isClosed(state) {
    return ENDS.every((_, end) => this.stateName(state, end) === this.data.closed);
  }

  // Whether nothing can change any more, although the connection is not closed.
  isStuck(state) {
    if (state >= this.expanded || this.isClosed(state)) return false;
    return this.steps(state).every((step) => this.target[step] === state);
  }

  // A segment as the end sees it that it is on its way to; `full` adds its numbers.
  label(segment, tcb, full = false) {
    const usual = this.data.words[this.labels.get(segment * this.data.tcbs.length + tcb)];
    return full ? `${usual} ${this.numbers(segment)}` : usual;
  }

  numbers(segment) {
    return this.data.words[this.data.segments[segment][0]];
  }

  // The segment as it was when it was sent: without an age.
  stripped(segment) {
    return this.data.segments[segment][1];
  }

  isReset(segment) {
    return this.data.segments[segment][2] === 1;
  }

  // What a step does.
  action(step) {
    const [actor, event, segment, sent, overflow, ...rules] = this.data.moves[this.data.move[step]];
    const source = this.source[step];
    return {
      actor,
      event,
      segment,
      sent,
      overflow: overflow === 1,
      rules: rules.map((rule) => this.data.rules[rule]),
      words: this.eventWords.get(event),
      // As the receiver sees it: what arrives before it does, what is sent once it is sent.
      label: segment === NO_SEGMENT ? "" : this.label(segment, this.tcbOf(source, actor)),
      sentLabel: sent === NO_SEGMENT ? "" : this.label(sent, this.tcbOf(source, 1 - actor)),
    };
  }

  is(action, name) {
    return action.event === this.data.events[name][0];
  }

  // A step in words: "A CLOSE", "FIN arrives at B", "ACK of FIN to A is lost".
  text(step) {
    const action = this.action(step);
    const end = ENDS[action.actor];
    if (action.actor === TIME) return action.words;
    if (action.segment === NO_SEGMENT) return `${end} ${action.words}`;
    if (this.is(action, "SEGMENT_ARRIVES")) return `${action.label} arrives at ${end}`;
    if (this.is(action, "SEGMENT_IS_LOST")) return `${action.label} to ${end} is lost`;
    return `${action.label} to ${end} is duplicated`;
  }

  // The ends whose state a step changes, with the new state: "A CLOSING".
  changes(step) {
    const [source, target] = [this.source[step], this.target[step]];
    return ENDS.flatMap((name, end) => {
      const after = this.stateName(target, end);
      return after === this.stateName(source, end) ? [] : [`${name} ${after}`];
    });
  }

  both(state) {
    return ENDS.map((name, end) => `${name} ${this.stateName(state, end)}`).join(", ");
  }

  // Of each state the step by which a shortest run comes to it; -1 where none is known.
  get arrivals() {
    if (!this._arrivals) {
      this._arrivals = new Int32Array(this.size).fill(-1);
      this.depth = new Int32Array(this.size).fill(-1);
      this.depth[0] = 0;
      const queue = [0];
      for (const state of queue) {
        for (const step of this.steps(state)) {
          const target = this.target[step];
          if (this.depth[target] >= 0) continue;
          this.depth[target] = this.depth[state] + 1;
          this._arrivals[target] = step;
          queue.push(target);
        }
      }
    }
    return this._arrivals;
  }

  depthOf(state) {
    return this.arrivals && this.depth[state];
  }

  // The choices of a shortest run to a state.
  choicesTo(state) {
    const choices = [];
    while (state !== 0) {
      const step = this.arrivals[state];
      choices.push(step - this.first[this.source[step]]);
      state = this.source[step];
    }
    return choices.reverse();
  }
}
