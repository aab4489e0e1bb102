// What is done when something is clicked, chosen or pressed; and the start.

function listen(page) {
  const click = (id, act) => at(id).addEventListener("click", act);
  click("first", () => page.go(0));
  click("back", () => page.go(page.position - 1));
  click("forward", () => page.forward());
  click("last", () => page.go(page.run.length));
  click("undo", () => page.undo());
  click("restart", () => page.openRun("own"));
  click("copy", () => page.offer("The run as a ladder", ladderText(page.run)));
  click("share", () => page.offer("A link to this run", location.href));
  click("run-here", () => page.runHere());
  click("to-run", () => page.go(page.position));
  click("show-folded", () => page.showGraph("folded"));
  click("show-product", () => page.showGraph("product"));
  click("zoom-in", () => page.shownGraph().zoom(at("product").hidden ? 1 : ZOOM));
  click("zoom-out", () => page.shownGraph().zoom(at("product").hidden ? -1 : 1 / ZOOM));
  click("fit", () => page.shownGraph().fit());
  click("previous-found", () => page.goFound(-1));
  click("notice-close", () => page.notice(""));
  click("skip", (event) => {
    event.preventDefault(); // the fragment is the run's
    at("main").focus();
  });
  for (const tab of ["verdicts", "explorer"]) click(`tab-${tab}`, () => page.showTab(tab));
  at("model").addEventListener("change", () => page.openModel(Number(at("model").value)));
  at("run").addEventListener("change", () => page.openRun(at("run").value));
  at("arrange").addEventListener("change", () => {
    page.product.arrange(at("arrange").value);
    page.product.show(page.run, page.position, page.shown);
  });
  at("every-step").addEventListener("change", () => {
    page.product.showsSteps = at("every-step").checked;
    page.product.view.redraw();
  });
  at("search").addEventListener("input", () => page.search(at("search").value));
  at("search").addEventListener("focus", () => at("search").value || page.search(""));
  at("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    page.goFound(1);
  });
  document.querySelectorAll(".model").forEach((section, index) => {
    section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-run]");
      if (!button) return;
      if (index !== page.index) page.openModel(index);
      page.openRun(Number(button.dataset.run));
      page.showTab("explorer");
      at("ladder").focus();
    });
  });
  listenToTheme(page);
  document.addEventListener("keydown", (event) => key(page, event));
  window.addEventListener("hashchange", () => page.follow(location.hash));
  window.addEventListener("resize", () => page.product.view.redraw());
}

function listenToTheme(page) {
  const repaint = () => page.product.view.redraw();
  at("theme").addEventListener("change", () => {
    const { value } = at("theme");
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    repaint();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

// Keys that mean something wherever the focus is, unless what has it uses them itself.
function key(page, event) {
  if (event.altKey || event.metaKey || at("dialog").open) return;
  if (event.target.closest("[role=tablist]") && tabKey(page, event)) return;
  if (at("explorer").hidden || event.target.closest("input, select, textarea, canvas")) return;
  if (event.ctrlKey) {
    if (event.key !== "z") return;
    page.undo();
    return event.preventDefault();
  }
  if (event.target === at("folded")) return; // it scrolls
  const acts = {
    ArrowDown: () => page.forward(),
    ArrowRight: () => page.forward(),
    ArrowUp: () => page.go(page.position - 1),
    ArrowLeft: () => page.go(page.position - 1),
    Home: () => page.go(0),
    End: () => page.go(page.run.length),
  };
  if (!Object.hasOwn(acts, event.key)) return;
  event.preventDefault();
  acts[event.key]();
}

// Move between the tabs; returns whether the key was one for that.
function tabKey(page, event) {
  const names = ["verdicts", "explorer"];
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!way) return false;
  const now = names.findIndex((name) => !at(name).hidden);
  const name = names[(now + way + names.length) % names.length];
  page.showTab(name);
  at(`tab-${name}`).focus();
  event.preventDefault();
  return true;
}

const page = new Page();
document.documentElement.dataset.ready = String(Math.round(performance.now()));
