// One state in words: both TCBs, what is in flight, and the steps that can be taken from it.

class Inspector {
  // parts: the elements {title, tcbs, flights, steps, none}. onChoose: called with a choice.
  constructor(parts, onChoose) {
    this.parts = parts;
    parts.steps.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) onChoose(Number(button.dataset.choice));
    });
  }

  // before: the state before it on the run, or -1. next: the choice that the run makes here, or -1.
  show(graph, state, before, next) {
    const { title, tcbs, flights, steps, none } = this.parts;
    const losses = graph.losses(state) ? `, ${graph.losses(state)} lost so far` : "";
    const where = graph.whole ? `, depth ${graph.depthOf(state)}` : " of those in this report";
    title.textContent = `State ${state}${where}${losses}`;
    tcbs.replaceChildren(...this.tcbs(graph, state, before));
    flights.replaceChildren(...[1, 0].flatMap((end) => this.channel(graph, state, end)));
    const possible = graph.steps(state);
    const items = possible.map((step, choice) => this.step(graph, step, choice, choice === next));
    steps.replaceChildren(...items);
    none.hidden = possible.length > 0;
    none.textContent =
      state < graph.expanded
        ? "Nothing can happen any more."
        : "What can happen here is not in this report: the state was not expanded.";
  }

  tcbs(graph, state, before) {
    const found = ENDS.map((_, end) => graph.fields(graph.tcbOf(state, end)));
    const old = ENDS.map((_, end) => (before < 0 ? null : graph.fields(graph.tcbOf(before, end))));
    const names = new Set(found.flatMap((fields) => [...fields.keys()]));
    return [...names].map((name) => {
      const cells = found.map((fields, end) => {
        const value = fields.get(name);
        const isNew = old[end] !== null && value !== undefined && value !== old[end].get(name);
        const cell = made("td", isNew ? "changed" : value === 0 ? "zero" : "", String(value ?? "–"));
        if (isNew) cell.append(made("span", "visually-hidden", ", changed"));
        cell.dataset.field = `${"ab"[end]}.${name}`;
        return cell;
      });
      return made("tr", "", [made("th", "", name, { scope: "row" }), ...cells]);
    });
  }

  channel(graph, state, end) {
    const tcb = graph.tcbOf(state, end);
    const segments = graph.channelTo(state, end).map((seg) => graph.label(seg, tcb, true));
    const list = made("dd", "", segments.length ? "" : "nothing");
    if (segments.length) {
      list.append(made("ol", "channel", segments.map((text) => made("li", "", text))));
    }
    list.dataset.to = ENDS[end];
    return [made("dt", "", end ? "A → B" : "B → A"), list];
  }

  step(graph, step, choice, isNext) {
    const action = graph.action(step);
    const changes = graph.changes(step);
    const isIdle = graph.target[step] === graph.source[step];
    const outcome = changes.length ? ` → ${changes.join(", ")}` : "";
    const details = [];
    if (action.segment !== NO_SEGMENT) details.push(graph.numbers(action.segment));
    details.push(...action.rules.map(([name, clause]) => `${name} (${clause})`));
    if (action.sent !== NO_SEGMENT) {
      details.push(`sends ${action.sentLabel}${action.overflow ? ", lost: the channel is full" : ""}`);
    }
    if (isIdle) details.push("changes nothing");
    const words = made("span", "words", [graph.text(step), made("b", "", outcome)]);
    const button = made("button", isNext ? "next" : "", [words], { type: "button" });
    if (details.length) button.append(" ", made("small", "", details.join("; ")));
    if (isNext) button.append(" ", made("em", "", "the run's next step"));
    button.dataset.choice = choice;
    return made("li", isIdle ? "idle" : "", button);
  }
}
