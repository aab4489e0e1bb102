// Where the dots of the product graph go: {x, y, world, fields, columns, rows}.
//
// x, y: of each state; the distance of two dots is 1. world: how large all of it is. fields: what
// is painted behind dots. columns, rows: the spans that have the name of a state of A, of B.

const GAP = 2.4; // between two fields
const SHAPES = [0.3, 0.5, 0.8, 1.2, 1.8, 2.7, 4]; // of a field: columns for each row of dots

// Fields of a table: A's states are the columns, B's the rows; within one, dots in rows by depth.
// Of some shapes of fields the one is taken that is shown largest in the room there is.
function byPair(graph, [wide, high]) {
  const names = ENDS.map((_, end) => {
    const there = new Set(graph.data[end ? "b" : "a"].map((tcb) => graph.data.tcbs[tcb][1]));
    return graph.data.states.filter((name) => there.has(name));
  });
  const members = new Map();
  for (let state = 0; state < graph.size; state++) {
    const key = ENDS.map((_, end) => names[end].indexOf(graph.stateName(state, end))).join(" ");
    if (!members.has(key)) members.set(key, []);
    members.get(key).push(state);
  }
  const cells = [...members].map(([key, states]) => [...key.split(" ").map(Number), states]);
  const tried = SHAPES.map((shape) => table(names, cells, shape));
  const scale = ({ world }) => Math.min(wide / world.width, high / world.height);
  const best = tried.reduce((one, other) => (scale(other) > scale(one) ? other : one));
  const places = { ...best, ...nowhere(graph), fields: [] };
  for (const [column, row, states] of cells) {
    fill(places, states, best.columns[column], best.rows[row]);
  }
  return places;
}

function nowhere(graph) {
  return { x: new Float32Array(graph.size), y: new Float32Array(graph.size) };
}

// Put the states of a cell into its field.
function fill({ x, y, fields }, states, column, row) {
  fields.push({ x: column.from, y: row.from, width: column.size, height: row.size });
  const rows = Math.ceil(states.length / column.size);
  const across = Math.ceil(states.length / rows);
  states.forEach((state, i) => {
    x[state] = column.from + (column.size - across) / 2 + (i % across) + 0.5;
    y[state] = row.from + (row.size - rows) / 2 + Math.floor(i / across) + 0.5;
  });
}

// A table of fields with room for the states of each cell, its fields as wide as `shape` says.
function table(names, cells, shape) {
  const wide = names[0].map(() => 1);
  const high = names[1].map(() => 1);
  for (const [column, , { length }] of cells) {
    wide[column] = Math.max(wide[column], Math.ceil(Math.sqrt(length * shape)));
  }
  const least = (sizes) => sizes.reduce((sum, size) => sum + size, 0) / sizes.length * 0.7;
  const columns = spans(names[0], wide, Math.ceil(least(wide)));
  for (const [column, row, { length }] of cells) {
    high[row] = Math.max(high[row], Math.ceil(length / columns[column].size));
  }
  const rows = spans(names[1], high, Math.ceil(least(high) / 3));
  const [width, height] = [columns, rows].map((all) => all.at(-1).from + all.at(-1).size + 1);
  return { columns, rows, world: { width, height } };
}

// Where each of some fields, side by side, begins, and how large it is.
function spans(names, sizes, least) {
  let from = 1;
  return names.map((name, i) => {
    const span = { name, from, size: Math.max(sizes[i], least) };
    from += span.size + GAP;
    return span;
  });
}

// A row for each depth; within it a state stands near the states that lead to it.
function byDepth(graph, [wide, high]) {
  const levels = [];
  for (let state = 0; state < graph.size; state++) {
    (levels[graph.depthOf(state)] ??= []).push(state);
  }
  const widest = Math.max(...levels.map((level) => level.length));
  const between = Math.max(3, (widest * high) / wide / levels.length);
  const { x, y } = nowhere(graph);
  const sum = new Float64Array(graph.size);
  const count = new Uint32Array(graph.size);
  levels.forEach((level, depth) => {
    const wanted = (state) => (count[state] ? sum[state] / count[state] : widest / 2);
    level.sort((one, other) => wanted(one) - wanted(other) || one - other);
    const gap = Math.min(3, widest / level.length);
    level.forEach((state, i) => {
      x[state] = widest / 2 + (i - (level.length - 1) / 2) * gap;
      y[state] = depth * between;
      for (const step of graph.steps(state)) {
        sum[graph.target[step]] += x[state];
        count[graph.target[step]] += 1;
      }
    });
  });
  const world = { width: widest, height: (levels.length - 1) * between };
  return { x, y, world, fields: [], columns: [], rows: [] };
}
