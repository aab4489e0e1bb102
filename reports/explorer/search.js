// Searching states: words and conditions that must all be true of a state.

const SEARCH_HELP =
  "A=CLOSING, b.snd_nxt>1, FIN, a>b:\"ACK of FIN\", stuck, #17; several must all be true";
const RELATIONS = {
  "=": (one, other) => one === other,
  "!=": (one, other) => one !== other,
  "<": (one, other) => one < other,
  ">": (one, other) => one > other,
  "<=": (one, other) => one <= other,
  ">=": (one, other) => one >= other,
};

// The numbers of the states that a query fits; throws an Error with a message for people.
function search(graph, query) {
  const parts = query.match(/(?:"[^"]*"|[^\s&"])+/g) ?? [];
  const tests = parts.map((part) => condition(graph, part));
  return Array.from({ length: graph.size }, (_, state) => state).filter((state) =>
    tests.every((test) => test(state)),
  );
}

// One condition, as a function of a state's number.
function condition(graph, part) {
  const numbered = /^#(\d+)$/.exec(part);
  if (numbered) return (state) => state === Number(numbered[1]);
  if (part.toLowerCase() === "stuck") return (state) => graph.isStuck(state);
  const channel = /^([ab])-?>([ab]):(.*)$/i.exec(part);
  if (channel && channel[1].toLowerCase() !== channel[2].toLowerCase()) {
    return inFlight(graph, channel[3], [channel[2].toLowerCase() === "b" ? 1 : 0]);
  }
  const compared = /^(?:(a|b)\.)?(\w+)(!=|<=|>=|=|<|>)(.+)$/i.exec(part);
  if (compared) return comparison(graph, ...compared.slice(1));
  const [named, flying] = [stateNamed(graph, part), inFlight(graph, part, [0, 1])];
  return (state) => named(state) || flying(state);
}

function unquoted(text) {
  return text.replaceAll('"', "").trim().toLowerCase();
}

function stateNamed(graph, part) {
  const wanted = unquoted(part);
  return (state) => ENDS.some((_, end) => graph.stateName(state, end).toLowerCase() === wanted);
}

// A segment on its way to one of some ends has the wanted words in its full label.
function inFlight(graph, part, ends) {
  const escaped = unquoted(part).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const words = new RegExp(`(^|[^\\w])${escaped}($|[^\\w])`, "i");
  return (state) =>
    ends.some((end) => {
      const tcb = graph.tcbOf(state, end);
      return graph.channelTo(state, end).some((seg) => words.test(graph.label(seg, tcb, true)));
    });
}

function comparison(graph, end, name, relation, value) {
  const field = name.toLowerCase();
  const wanted = /^-?\d+$/.test(value) ? Number(value) : unquoted(value);
  const compare = RELATIONS[relation];
  const isEnd = (field === "a" || field === "b") && !end;
  const known = new Set(graph.data.fields.flat());
  if (!isEnd && !known.has(field)) {
    throw new Error(`no field “${name}”; there are ${[...known].join(", ")}`);
  }
  const ends = isEnd ? [field === "b" ? 1 : 0] : end ? [end.toLowerCase() === "b" ? 1 : 0] : [0, 1];
  const held = graph.data.tcbs.map((_, tcb) => {
    const found = graph.fields(tcb).get(isEnd ? "state" : field);
    if (found === undefined) return false;
    return compare(typeof found === "string" ? found.toLowerCase() : found, wanted);
  });
  return (state) => ends.some((which) => held[graph.tcbOf(state, which)]);
}
