// What holds the page together: one model, one run and a position in it, shown in three panes.

const at = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.models = JSON.parse(at("report").textContent).models;
    this.graphs = new Map();
    this.undone = [];
    this.found = [];
    this.ladder = new Ladder(at("ladder"), (position) => this.go(position));
    this.folded = new Folded(at("folded"), (node) => this.pickPair(node));
    this.product = new Product(
      at("canvas"),
      (state) => this.inspect(state),
      (text) => (at("hover").textContent = text),
    );
    const parts = { title: "state-title", tcbs: "tcbs", flights: "flights", steps: "steps" };
    const elements = Object.entries({ ...parts, none: "no-steps" }).map(([k, id]) => [k, at(id)]);
    this.inspector = new Inspector(Object.fromEntries(elements), (choice) => this.choose(choice));
    at("model").append(...this.models.map((model, i) => new Option(model.name, String(i))));
    const { hash } = location; // before the first run takes its place
    listen(this);
    this.openModel(0);
    this.showGraph("folded");
    this.follow(hash);
  }

  graphOf(index) {
    if (!this.graphs.has(index)) {
      this.graphs.set(index, new Graph(JSON.parse(at(`graph-${index}`).textContent)));
    }
    return this.graphs.get(index);
  }

  // Models and runs ----------------------------------------------------------------------------

  openModel(index) {
    this.index = index;
    this.model = this.models[index];
    this.graph = this.graphOf(index);
    this.undone = [];
    this.run = null;
    at("model").value = String(index);
    const known = this.model.runs.map((run, i) => new Option(runName(run), String(i)));
    at("run").replaceChildren(...known, new Option("a run of your own", "own"));
    at("show-product").disabled = !this.graph.whole;
    at("show-product").title = this.graph.whole ? "" : tooLarge(this.model, this.graph);
    at("search").value = "";
    this.say("");
    if (!this.graph.whole) this.showGraph("folded");
    this.folded.load(this.graph);
    this.hasProduct = false;
    this.openRun(this.model.runs.length ? 0 : "own");
  }

  openRun(which) {
    const known = this.model.runs[which];
    const run = known ? new Run(this.graph, known.choices, known.loop) : new Run(this.graph);
    this.setRun(run, 0);
  }

  // Show a run at a position. Whatever was shown before can be had again.
  setRun(run, position) {
    if (this.run && this.run !== run) this.undone.push([this.run, this.position]);
    this.run = run;
    this.go(position);
  }

  undo() {
    if (!this.undone.length) return;
    const [run, position] = this.undone.pop();
    this.run = run;
    this.go(position);
  }

  // Step to a position of the run.
  go(position) {
    this.position = Math.max(0, Math.min(position, this.run.length));
    this.inspect(this.run.states[this.position], true);
    this.writeLink();
  }

  // One step on; behind the end of a lasso its loop begins again.
  forward() {
    const { run, position } = this;
    const isRound = run.loop !== null && run.loop < run.length && position === run.length;
    this.go(isRound ? run.loop + 1 : position + 1);
  }

  // Choose a step of the state that is inspected.
  choose(choice) {
    if (!this.isOnRun) this.runHere();
    const run = this.run.chosen(this.position, choice);
    const position = this.position + 1;
    if (run === this.run) this.go(position);
    else this.setRun(run, position);
    at("state-title").focus({ preventScroll: true });
    at("pane-state").scrollTop = 0;
  }

  runHere() {
    const run = new Run(this.graph, this.graph.choicesTo(this.shown));
    this.setRun(run, run.length);
  }

  // Showing ------------------------------------------------------------------------------------

  // Inspect a state; one that is on the run, too, if it is the run's position that is meant.
  inspect(state, isOnRun = state === this.run.states[this.position]) {
    const { run, position, graph } = this;
    this.shown = state;
    this.isOnRun = isOnRun;
    this.ladder.show(run, position);
    const before = isOnRun && position > 0 ? run.states[position - 1] : -1;
    const next = isOnRun ? (run.choices[position] ?? -1) : -1;
    this.inspector.show(graph, state, before, next);
    this.folded.show(run, position, state);
    if (this.hasProduct) this.product.show(run, position, state);
    this.tell();
  }

  tell() {
    const { run, position, model } = this;
    at("off-run").hidden = this.isOnRun;
    at("run-here").disabled = this.graph.depthOf(this.shown) < 0;
    at("live").textContent = this.isOnRun
      ? run.told(position)
      : `State ${this.shown}, not on the run: ${this.graph.both(this.shown)}`;
    at("place").textContent = `step ${position} of ${run.length}`;
    at("first").disabled = at("back").disabled = position === 0;
    at("last").disabled = position === run.length;
    at("forward").disabled = position === run.length && !(run.loop < run.length && run.loop !== null);
    at("undo").disabled = !this.undone.length;
    const known = model.runs.findIndex((other) => isSame(other, run));
    at("run").value = known < 0 ? "own" : String(known);
    const told = known < 0 ? null : model.runs[known];
    at("wrong").textContent = told ? `${told.detail}${loopNote(run)}` : ownNote(run);
    at("wrong").classList.toggle("shows", !told || told.answer !== "violated");
  }

  pickPair(node) {
    const states = Array.from({ length: this.graph.size }, (_, state) => state);
    const there = states.filter((state) => this.folded.nodeOf(state) === node);
    const onRun = this.run.states.findIndex((state) => this.folded.nodeOf(state) === node);
    if (onRun >= 0) this.go(onRun);
    else if (there.length) this.inspect(there[0]);
    else this.say(`no state of that pair is in this report: ${tooLarge(this.model, this.graph)}`);
  }

  showGraph(which) {
    const isProduct = which === "product";
    at("folded").hidden = isProduct;
    at("product").hidden = !isProduct;
    at("show-folded").setAttribute("aria-pressed", String(!isProduct));
    at("show-product").setAttribute("aria-pressed", String(isProduct));
    for (const part of document.querySelectorAll(".product-only")) part.hidden = !isProduct;
    if (!isProduct) return;
    this.product.view.resize();
    if (!this.hasProduct) {
      this.product.load(this.graph, at("arrange").value);
      this.hasProduct = true;
      this.product.mark(this.found);
    }
    this.product.show(this.run, this.position, this.shown);
  }

  shownGraph() {
    return at("product").hidden ? this.folded : this.product.view;
  }

  // Searching ----------------------------------------------------------------------------------

  search(query) {
    this.found = [];
    this.foundAt = -1;
    let said = query.trim() ? "" : SEARCH_HELP;
    try {
      if (query.trim()) this.found = search(this.graph, query);
    } catch (error) {
      said = error.message;
    }
    const where = this.graph.whole ? "" : " of those in this report";
    this.say(said || `${this.found.length.toLocaleString("en")} states found${where}`, said && query);
    this.folded.mark(this.found);
    if (this.hasProduct) this.product.mark(this.found);
  }

  goFound(way) {
    const count = this.found.length;
    if (!count) return;
    this.foundAt = this.foundAt < 0 && way < 0 ? count - 1 : (this.foundAt + way + count) % count;
    this.inspect(this.found[this.foundAt]);
    this.say(`${this.foundAt + 1} of ${count.toLocaleString("en")} states found`);
  }

  say(text, isAmiss = false) {
    at("found").textContent = text || (this.graph.whole ? "" : tooLarge(this.model, this.graph));
    at("found").classList.toggle("amiss", Boolean(isAmiss));
  }

  // Links --------------------------------------------------------------------------------------

  // Do what a fragment says, or say why that cannot be done.
  follow(fragment) {
    this.notice("");
    try {
      const wanted = readFragment(fragment, this.models);
      if (!wanted) return;
      const index = this.models.indexOf(wanted.model);
      const run = new Run(this.graphOf(index), wanted.choices, wanted.loop);
      if (index !== this.index) this.openModel(index);
      this.setRun(run, wanted.at);
      this.showTab("explorer");
    } catch (error) {
      this.notice(`The link cannot be followed: ${error.message}.`);
    }
  }

  // Keep the run in the address while it is shown.
  writeLink() {
    const isShown = !at("explorer").hidden;
    const fragment = isShown ? fragmentOf(this.model, this.run, this.position) : "";
    history.replaceState(null, "", fragment || location.href.split("#")[0]);
  }

  notice(text) {
    at("notice").hidden = !text;
    at("notice-text").textContent = text;
    document.body.classList.toggle("has-notice", Boolean(text));
  }

  showTab(name) {
    for (const tab of ["verdicts", "explorer"]) {
      at(tab).hidden = tab !== name;
      at(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
      at(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
    }
    this.writeLink();
    if (name === "verdicts") return;
    this.folded.fit();
    this.inspect(this.shown, this.isOnRun);
  }

  // Show a text to take away, and copy it where the browser lets a page do that.
  async offer(title, text) {
    at("dialog-title").textContent = title;
    at("dialog-text").value = text;
    at("dialog-said").textContent = "";
    at("dialog").showModal();
    at("dialog-text").select();
    try {
      await navigator.clipboard.writeText(text);
      at("dialog-said").textContent = "Copied to the clipboard.";
    } catch {
      at("dialog-said").textContent = "Copy it from here (Ctrl+C).";
    }
  }
}

function runName({ property, answer, choices, loop }) {
  const kind = loop === null ? "run" : "lasso";
  return `${property}: ${answer}, a ${kind} of ${choices.length} steps`;
}

function isSame(known, run) {
  return known.loop === run.loop && known.choices.join() === run.choices.join();
}

function loopNote(run) {
  if (run.loop === null) return "";
  if (run.loop === run.length) return " (nothing that changes anything happens any more)";
  return ` (what follows step ${run.loop} repeats for ever)`;
}

function ownNote(run) {
  const begun = "Choose a step on the right, and the run grows.";
  return run.length ? "A run of your own." : begun;
}

function tooLarge(model, graph) {
  if (graph.whole) return "";
  const count = model.states.toLocaleString("en");
  const limit = model.limit.toLocaleString("en");
  return model.states > model.limit
    ? `${count} states are more than the ${limit} that a report holds: here are the runs, each ` +
        "step that leaves them, and the folded graph"
    : "the graph was not kept: here are the runs and each step that leaves them";
}
