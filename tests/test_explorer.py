"""The report's page in a browser: what it shows is what the engine does, and it asks nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from properties.catalogue import CATALOGUE
from properties.check import Result, check
from reports import explorer_graph
from reports.explorer_page import page as html_of
from reports.frames import frames
from reports.labels import action_text, labels
from reports.ladder import ladder
from tcpclose_model.engines.plain import PlainEngine, ProductState, Transition
from tcpclose_model.model import Model
from tcpclose_model.parts import Application, Network, Time, Timers
from tcpclose_model.protocol.vocabulary import State
from tcpclose_model.run import Run
from tcpclose_model.variants.catalogue import model_named
from tests.explorer import BROWSER, shown_fields, told, walked
from tests.test_explorer_page import hostile_model
from tests.test_ladders import random_run

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")

Tab = Any  # a page of playwright, which may be missing

TIMED = Model(
    network=Network(capacity=3, loss=True, full="waits", losses_max=1),
    application=Application(closes=("any", "after_fin"), data_units=(0, 0)),
    time=Time(segment_lifetime=1, retransmission=(2,), time_wait=2),
    name="timed",
)
COPIES = Model(
    network=Network(capacity=2, loss=False, duplication=True),
    timers=Timers(retransmission="none"),
    application=Application(data_units=(0, 0), aborts=(False, True)),
    name="copies",
)
SET = Model(
    network=Network(capacity=2, loss=True, duplication=True, order="set"),
    application=Application(closes=("any", "after_fin"), data_units=(0, 0)),
    time=Time(segment_lifetime=1, retransmission=(2,), time_wait=2),
    properties=CATALOGUE[:1],
    name="set",
)
MODELS: dict[str, Model] = {
    "firewall_after_fins": model_named("firewall_after_fins"),
    "nuttx_8915": model_named("nuttx_8915"),
    "timed": TIMED,
    "copies": COPIES,
    "set": SET,
}

# Not by its bare name, which would give the test to a worker of its own (tests/conftest.py).
each_model = pytest.mark.parametrize("name", MODELS, ids="of {}".format)


@dataclass
class Report:
    """A report in a file, the results that it shows, and what its pages have complained of."""

    file: Path
    results: dict[str, Result]
    browser: Any  # a browser of playwright
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, fragment: str = "", **options: object) -> Tab:
        """Return a new page that shows the report."""
        tab = self.browser.new_page(**{"viewport": {"width": 1366, "height": 768}, **options})
        tab.on("console", lambda message: self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.goto(self.file.as_uri() + fragment)
        return tab

    def model(self, tab: Tab, name: str) -> Model:
        """Choose a model in the explorer and return it."""
        tab.click("#tab-explorer")
        tab.select_option("#model", label=name)
        return self.results[name].model

    def runs(self, name: str) -> list[Run]:
        """Return the runs of a model in the order of the page."""
        return [verdict.run for verdict in self.results[name].verdicts if verdict.run is not None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:  # Any: as above
    """Yield the browser that all tests share."""
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Report:
    """Return a report of a few small models."""
    file = tmp_path_factory.mktemp("explorer") / "report.html"
    results = {name: check(model) for name, model in MODELS.items()}
    file.write_text(html_of(list(results.values())), encoding="utf-8")
    return Report(file, results, browser)


@pytest.fixture(scope="module")
def shared(written: Report) -> Tab:
    """Return a page that tests may share."""
    return written.open()


@pytest.fixture
def tab(written: Report, shared: Tab) -> Iterator[Tab]:
    """Yield the shared page; nothing may be complained of, and nobody be asked, meanwhile."""
    shared.goto("about:blank")
    written.asked.clear()
    shared.goto(written.file.as_uri())
    yield shared
    assert ([], [written.file.as_uri()]) == (written.complaints, written.asked)
    written.complaints.clear()


def shown_run(written: Report, tab: Tab) -> tuple[Run, int]:
    """Return the run and the position that the page's address names, as the engine does it."""
    parts = parse_qs(urlsplit(tab.url).fragment, keep_blank_values=True)
    model = written.results[parts["model"][0]].model
    choices = [int(part) for part in parts["run"][0].split(".") if part]
    run = walked(model, choices)
    loop = int(parts["loop"][0]) if "loop" in parts else None
    return Run(model, run.states, run.steps, loop), int(parts["at"][0])


def inspected(tab: Tab) -> dict[str, Any]:  # Any: texts, lists and dicts of them
    """Return what the inspector says: TCBs, channels, and (words, details) of the enabled steps."""
    found: dict[str, Any] = tab.evaluate(
        """() => ({
            tcbs: Object.fromEntries([...document.querySelectorAll("#tcbs td")].map(
                (td) => [td.dataset.field, td.firstChild.textContent])),
            to: Object.fromEntries([...document.querySelectorAll("#flights dd")].map(
                (dd) => [dd.dataset.to, [...dd.querySelectorAll("li")].map(
                    (li) => li.textContent)])),
            steps: [...document.querySelectorAll("#steps button")].map(
                (b) => [b.querySelector(".words").textContent,
                        b.querySelector("small")?.textContent ?? ""]),
        })"""
    )
    return found


def expected_of(model: Model, state: ProductState) -> dict[str, Any]:  # Any: as above
    """Return what the inspector should say of a state."""
    fields = [shown_fields(model, tcb) for tcb in state[:2]]
    names = {name for found in fields for name in found}
    return {
        "tcbs": {
            f"{end}.{n}": f.get(n, "–") for end, f in zip("ab", fields, strict=True) for n in names
        },
        "to": {
            "B": [labels(seg, state.b)[2] for seg in state.a_to_b],
            "A": [labels(seg, state.a)[2] for seg in state.b_to_a],
        },
        "steps": [step_words(state, step) for step in PlainEngine(model).successors(state)],
    }


def step_words(state: ProductState, step: Transition) -> list[str]:
    """Return a step as a button of the inspector says it."""
    new = [
        f"{name} {after.state.name}"
        for name, before, after in zip("AB", state[:2], step.target[:2], strict=True)
        if before.state != after.state
    ]
    words = action_text(step.action, state) + (f" → {', '.join(new)}" if new else "")
    details = []
    if step.action.segment is not None:
        receiver = state.b if step.action.actor else state.a
        _, usual, full = labels(step.action.segment, receiver)
        details.append(full.removeprefix(usual).strip())
    details += [f"{rule.name} ({rule.cite})" for rule in step.rules]
    if step.sent is not None:
        sent = labels(step.sent, state.a if step.action.actor else state.b)[1]
        details.append(f"sends {sent}" + (", lost: the channel is full" if step.overflow else ""))
    details += ["changes nothing"] if step.target == state else []
    return [words, "; ".join(details)]


# Stepping through a counterexample --------------------------------------------------------------


@pytest.mark.parametrize("name", ["firewall_after_fins", "nuttx_8915"], ids="of {}".format)
def test_the_arrow_keys_step_through_a_counterexample(written: Report, tab: Tab, name: str) -> None:
    model = written.model(tab, name)
    run = written.runs(name)[0]
    tab.focus("#ladder")
    for position, state in enumerate(run.states):
        assert told(run, position) == tab.text_content("#live")
        selected = tab.get_attribute("[role=option][aria-selected=true]", "id")
        assert selected == tab.get_attribute("#ladder", "aria-activedescendant")
        assert f"row-{position}" == selected
        found, expected = inspected(tab), expected_of(model, state)
        assert expected == found
        pair = tab.eval_on_selector_all(".pair.now .name", "all => all.map((t) => t.textContent)")
        assert [state.a.state.name, state.b.state.name] == pair
        if position < len(run):
            tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    assert told(run, len(run) - 1) == tab.text_content("#live")
    tab.keyboard.press("Home")
    assert told(run, 0) == tab.text_content("#live")


def test_the_step_between_two_pairs_is_marked_in_the_folded_graph(
    written: Report, tab: Tab
) -> None:
    written.model(tab, "firewall_after_fins")
    run = written.runs("firewall_after_fins")[0]
    for before, after in zip(run.states, run.states[1:], strict=False):
        tab.keyboard.press("ArrowDown")
        is_moved = (before.a.state, before.b.state) != (after.a.state, after.b.state)
        assert int(is_moved) == tab.locator("path.link.now").count()


def test_behind_the_end_of_a_lasso_its_loop_begins_again(written: Report, tab: Tab) -> None:
    written.model(tab, "nuttx_8915")
    run = written.runs("nuttx_8915")[0]
    assert run.loop is not None
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowDown")
    assert f"step {run.loop + 1} of {len(run)}" == tab.text_content("#place")
    assert 1 == tab.locator(".loop-begins").count()
    assert len(run) - run.loop == tab.locator(".row.loops").count()
    assert "repeats for ever" in (tab.get_attribute(f"#row-{run.loop}", "aria-label") or "")


@each_model
def test_a_ladder_has_the_arrows_that_a_capture_would_have(
    written: Report, tab: Tab, name: str
) -> None:
    written.model(tab, name)
    for number, run in enumerate(written.runs(name)):
        tab.select_option("#run", str(number))
        assert arrows_of(run) == shown_arrows(tab)


def shown_arrows(tab: Tab) -> list[str]:
    """Return where the arrows of the ladder begin and end, and how."""
    found: list[str] = tab.eval_on_selector_all(
        "#ladder .arrow", "all => all.map((line) => line.dataset.flight)"
    )
    return sorted(found)


def arrows_of(run: Run) -> list[str]:
    """Return what `shown_arrows` should, from what two capture points would see."""
    seen = [frame for frame in frames(run) if frame.step]
    sent = {frame.ident: frame for frame in seen if frame.point == frame.sender}
    there = [frame for frame in seen if frame.point != frame.sender]
    found = [f"{sent[f.ident].step} {f.step} arrives {'AB'[f.sender]}" for f in there]
    arrived = {frame.ident for frame in there}
    for frame in sent.values():
        if frame.lost:
            found.append(f"{frame.step} {frame.lost_in} lost {'AB'[frame.sender]}")
        elif frame.ident not in arrived:
            found.append(f"{frame.step} {frame.step} flying {'AB'[frame.sender]}")
    return sorted(found)


# Walking ----------------------------------------------------------------------------------------


@each_model
def test_a_run_built_by_clicks_is_one_of_the_plain_engine(
    written: Report, tab: Tab, name: str
) -> None:
    random = Random(name)
    written.model(tab, name)
    tab.click("#restart")
    for _ in range(8):
        count = tab.locator("#steps button").count()
        if count == 0:
            break
        tab.locator("#steps button").nth(random.randrange(count)).click()
    run, position = shown_run(written, tab)
    assert len(run) == position > 1
    assert told(run, position) == tab.text_content("#live")
    assert expected_of(run.model, run.last) == inspected(tab)
    tab.click("#copy")
    assert ladder(run, notes="none") == tab.input_value("#dialog-text")
    tab.keyboard.press("Escape")
    assert arrows_of(run) == shown_arrows(tab)


@each_model
def test_random_runs_have_the_ladder_and_the_arrows_that_they_should(
    written: Report, tab: Tab, name: str
) -> None:
    model = written.model(tab, name)
    runs = [random_run(model, seed) for seed in range(25)]
    engine = PlainEngine(model)
    made = [
        [
            engine.successors(before).index(step)
            for before, step in zip(run.states, run.steps, strict=False)
        ]
        for run in runs
    ]
    found = tab.evaluate(
        """(made) => made.map((choices) => {
            const run = new Run(page.graph, choices);
            const arrow = (f) => `${f.sent} ${f.ends} ${f.how} ${ENDS[f.from]}`;
            return [ladderText(run), flights(run).map(arrow)];
        })""",
        made,
    )
    assert [(ladder(run, notes="none"), arrows_of(run)) for run in runs] == [
        (text, sorted(arrows)) for text, arrows in found
    ]


@each_model
def test_a_counterexample_is_copied_as_its_ladder(written: Report, tab: Tab, name: str) -> None:
    written.model(tab, name)
    for number, run in enumerate(written.runs(name)):
        tab.select_option("#run", str(number))
        assert ladder(run, notes="none") == tab.evaluate("ladderText(page.run)")


def test_choosing_another_step_leaves_the_counterexample_and_undo_comes_back(
    written: Report, tab: Tab
) -> None:
    model = written.model(tab, "firewall_after_fins")
    run = written.runs("firewall_after_fins")[0]
    tab.keyboard.press("ArrowDown")
    possible = PlainEngine(model).successors(run.states[1])
    other = next(i for i, step in enumerate(possible) if step != run.steps[1])
    tab.locator("#steps button").nth(other).click()
    assert "own" == tab.input_value("#run")
    assert ([*run.steps[:1], possible[other]], 2) == (list(shown_run(written, tab)[0].steps), 2)
    tab.keyboard.press("Control+z")
    assert ("0", "step 1 of 10") == (tab.input_value("#run"), tab.text_content("#place"))
    assert (run, 1) == shown_run(written, tab)
    assert tab.is_disabled("#undo")


def test_choosing_the_runs_own_next_step_is_a_step_on(written: Report, tab: Tab) -> None:
    written.model(tab, "firewall_after_fins")
    tab.click("#steps button.next")
    assert ("0", "step 1 of 10") == (tab.input_value("#run"), tab.text_content("#place"))


# Links ------------------------------------------------------------------------------------------


def test_a_link_opens_the_run_and_the_position_again(written: Report, tab: Tab) -> None:
    written.model(tab, "nuttx_8915")
    for _ in range(4):
        tab.keyboard.press("ArrowDown")
    tab.click("#share")
    link = tab.input_value("#dialog-text")
    other = written.open(urlsplit(link).fragment and f"#{urlsplit(link).fragment}")
    assert shown_run(written, tab) == shown_run(written, other)
    assert tab.text_content("#live") == other.text_content("#live")
    assert other.is_visible("#explorer")
    assert not other.is_visible("#notice")
    other.close()
    written.asked.pop()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("run=", "run=999."), "choice 999"),
        (("run=", "run=x."), "not the number"),
        (("graph=", "graph=0"), "another version"),
        (("model=", "model=no_"), "is not in this report"),
        (("at=1", "at=77"), "no step 77"),
        (("&at", "&loop=1&at"), "come back"),
        (("model=", "model=%FF"), "not text"),
        (("model=", "model=<img src=x onerror=alert(1)>"), "<img src=x"),
    ],
)
def test_a_link_that_cannot_be_followed_is_told_why(
    written: Report, tab: Tab, change: tuple[str, str], says: str
) -> None:
    written.model(tab, "firewall_after_fins")
    tab.keyboard.press("ArrowDown")
    before = tab.text_content("#live")
    tab.evaluate(
        "(fragment) => { location.hash = fragment; }", urlsplit(tab.url).fragment.replace(*change)
    )
    tab.wait_for_selector("#notice:not([hidden])")
    assert says in tab.text_content("#notice-text")
    assert before == tab.text_content("#live")
    tab.click("#notice-close")
    assert not tab.is_visible("#notice")


# Every state ------------------------------------------------------------------------------------


def test_each_state_is_inspected_as_the_engine_has_it(written: Report, tab: Tab) -> None:
    model = written.model(tab, "firewall_after_fins")
    space = written.results["firewall_after_fins"].space
    tab.click("#show-product")
    for number in range(0, len(space), 3):
        tab.evaluate("(state) => page.inspect(state)", number)
        state = space.state(number)  # type: ignore[union-attr]  # a small graph is kept
        assert expected_of(model, state) == inspected(tab)


def test_a_click_on_a_dot_inspects_its_state_and_a_run_can_go_there(
    written: Report, tab: Tab
) -> None:
    written.model(tab, "copies")
    tab.click("#show-product")
    tab.wait_for_function("page.product.view.width > 0")
    state = 17
    x, y = tab.evaluate(
        "(n) => [page.product.view.x(page.product.x[n]), page.product.view.y(page.product.y[n])]",
        state,
    )
    tab.click("#canvas", position={"x": x, "y": y})
    assert f"State {state}," in tab.text_content("#state-title")
    assert "not on the run" in tab.text_content("#live")
    tab.click("#run-here")
    run, position = shown_run(written, tab)
    space = written.results["copies"].space
    assert space.state(state) == run.last  # type: ignore[union-attr]  # as above
    assert space.level_of(state) == len(run) == position  # type: ignore[union-attr]  # as above


def test_the_canvas_is_panned_and_zoomed_by_keys_and_wheel(written: Report, tab: Tab) -> None:
    written.model(tab, "copies")
    tab.click("#show-product")
    tab.focus("#canvas")
    place = "[page.product.view.scale, page.product.view.left]"
    fitted = tab.evaluate(place)
    tab.keyboard.press("+")
    tab.keyboard.press("ArrowRight")
    zoomed = tab.evaluate(place)
    assert zoomed[0] > fitted[0]
    assert zoomed[1] > fitted[1]
    tab.keyboard.press("0")
    assert fitted == tab.evaluate(place)
    tab.mouse.move(700, 450)
    tab.mouse.wheel(0, -300)
    tab.wait_for_function(f"page.product.view.scale > {fitted[0]}")
    assert "step 0" in tab.text_content("#place")


@pytest.mark.parametrize("arrangement", ["pairs", "depth"])
def test_no_two_dots_are_in_one_place(written: Report, tab: Tab, arrangement: str) -> None:
    written.model(tab, "copies")
    tab.click("#show-product")
    tab.select_option("#arrange", arrangement)
    places = tab.evaluate("[...page.product.x].map((x, i) => `${x} ${page.product.y[i]}`)")
    assert len(written.results["copies"].space) == len(places) == len(set(places))


QUERIES: dict[str, Callable[[ProductState], bool]] = {
    "A=CLOSING": lambda s: s.a.state is State.CLOSING,
    "b.snd_nxt=1 & A=time_wait": lambda s: s.b.snd_nxt == 1 and s.a.state is State.TIME_WAIT,
    "snd_nxt>0": lambda s: any(t.state is not State.CLOSED and t.snd_nxt > 0 for t in s[:2]),
    "TIME_WAIT": lambda s: State.TIME_WAIT in (s.a.state, s.b.state),
    'a>b:"ACK of FIN"': lambda s: any("ACK of FIN" in labels(g, s.b)[2] for g in s.a_to_b),
    "RST": lambda s: any(seg.rst for seg in (*s.a_to_b, *s.b_to_a)),
    "a.told=connection_reset": lambda s: s.a.told.name == "CONNECTION_RESET",
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_search_finds_the_states_that_it_should(written: Report, tab: Tab, query: str) -> None:
    written.model(tab, "copies")
    space = written.results["copies"].space
    states = [space.state(n) for n in range(len(space))]  # type: ignore[union-attr]  # as above
    expected = [n for n, state in enumerate(states) if QUERIES[query](state)]
    tab.fill("#search", query)
    assert expected == tab.evaluate("page.found")
    assert expected
    assert f"{len(expected):,} states found" == tab.text_content("#found")
    tab.press("#search", "Enter")
    assert f"State {expected[0]}," in tab.text_content("#state-title")


@pytest.mark.parametrize(("query", "says"), [("snd_nx=1", "snd_nxt"), ("no_such_word", "0 states")])
def test_a_search_for_nothing_says_so(written: Report, tab: Tab, query: str, says: str) -> None:
    written.model(tab, "copies")
    tab.fill("#search", query)
    assert says in tab.text_content("#found")


# What the page is as a page ---------------------------------------------------------------------


def test_the_policy_stops_what_is_not_the_pages_own(written: Report, browser: Any) -> None:
    tab = browser.new_page()
    tab.goto(written.file.as_uri())
    done = tab.evaluate(
        """async () => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const button = document.createElement("button");
            button.setAttribute("onclick", "window.ran = true");
            document.body.append(button);
            button.click();
            const style = document.createElement("p");
            style.setAttribute("style", "width: 7px");
            document.body.append(style);
            let asked = "asked";
            try { await fetch("https://example.org/"); } catch { asked = "stopped"; }
            return [window.ran ?? false, style.style.width, asked];
        }"""
    )
    tab.close()
    assert [False, "", "stopped"] == done
    assert "unsafe" not in written.file.read_text("utf-8").split("<style>")[0]


def test_dark_follows_the_system_and_the_switch_goes_before_it(written: Report) -> None:
    tab = written.open(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(ground)
    tab.select_option("#theme", "light")
    assert ("rgb(18, 21, 26)", "rgb(255, 255, 255)") == (dark, tab.evaluate(ground))
    assert "rgb(255, 255, 255)" == tab.evaluate("inks(document.getElementById('canvas')).page")
    tab.close()


def test_everything_is_reached_by_the_keyboard_and_seen_to_be(written: Report, tab: Tab) -> None:
    written.model(tab, "copies")
    tab.keyboard.press("ArrowDown")
    again = tab.url
    tab.goto("about:blank")
    tab.goto(again)  # so that the first key finds the beginning of the page
    tab.evaluate("page.showGraph('product')")
    written.asked.pop()
    reached: list[str] = []
    for _ in range(45):
        tab.keyboard.press("Tab")
        found = tab.evaluate(
            """() => { const e = document.activeElement; const style = getComputedStyle(e);
                return [e.id || e.tagName, style.outlineStyle, e.matches("body")]; }"""
        )
        if found[2]:
            break
        assert "none" != found[1], found
        reached.append(found[0])
    assert "skip" == reached[0]
    controls = tab.eval_on_selector_all(
        "#explorer :is(button, select, input, [tabindex='0'])",
        "all => all.filter((e) => e.id && !e.disabled && e.checkVisibility()).map((e) => e.id)",
    )
    assert [] == sorted(set(controls) - set(reached))


def test_every_control_has_a_name(written: Report, tab: Tab) -> None:
    written.model(tab, "copies")
    nameless = tab.eval_on_selector_all(
        "button, select, input, canvas, [tabindex='0']",
        """all => all.filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length
            || e.getAttribute("aria-labelledby"))).map((e) => e.outerHTML)""",
    )
    assert [] == nameless


def test_the_tabs_are_changed_by_the_arrow_keys(written: Report, tab: Tab) -> None:
    tab.focus("#tab-verdicts")
    tab.keyboard.press("ArrowRight")
    assert (True, False) == (tab.is_visible("#explorer"), tab.is_visible("#verdicts"))
    assert "tab-explorer" == tab.evaluate("document.activeElement.id")


def test_a_verdicts_button_shows_its_run(written: Report, tab: Tab) -> None:
    name = "firewall_after_fins"
    number = len(written.runs(name)) - 1
    tab.locator("#model-0 [data-run]").nth(number).click()
    run = written.runs(name)[number]
    assert (run, 0) == shown_run(written, tab)
    assert "ladder" == tab.evaluate("document.activeElement.id")


@pytest.mark.parametrize("width", [420, 900, 1366])
def test_no_width_of_the_window_makes_the_page_scroll_sideways(
    written: Report, tab: Tab, width: int
) -> None:
    written.model(tab, "copies")
    tab.set_viewport_size({"width": width, "height": 800})
    over = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    tab.set_viewport_size({"width": 1366, "height": 768})
    assert over <= 0


def test_without_scripts_the_verdicts_can_be_read(written: Report) -> None:
    tab = written.open(java_script_enabled=False)
    assert tab.is_visible("#model-0 table")
    assert not tab.is_visible("#explorer")
    tab.close()


def other_report(written: Report, folder: Path, result: Result) -> Report:
    """Return a report of another model in the same browser."""
    file = folder / "report.html"
    file.write_text(html_of([result]), encoding="utf-8")
    return Report(file, {result.model.name: result}, written.browser)


def test_hostile_texts_are_shown_and_do_nothing(written: Report, tmp_path: Path) -> None:
    other = other_report(written, tmp_path, check(hostile_model()))
    tab = other.open()
    tab.on("dialog", lambda dialog: other.complaints.append("an alert"))
    tab.click("#tab-explorer")
    tab.click("#forward")
    assert "<script>alert(1)</script>" in tab.text_content("#model option")
    assert "onerror=alert(1)" in tab.text_content("#model-0 h2")
    again = other.open(f"#{urlsplit(tab.url).fragment}")
    assert tab.text_content("#live") == again.text_content("#live")
    assert [] == other.complaints
    tab.close()
    again.close()


def test_of_a_larger_graph_the_runs_are_walked_and_the_page_says_why(
    written: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer_graph, "STATES_MAX", 20)
    monkeypatch.setattr("reports.explorer_page.STATES_MAX", 20)
    other = other_report(written, tmp_path, written.results["firewall_after_fins"])
    tab = other.open()
    tab.click("#tab-explorer")
    assert tab.is_disabled("#show-product")
    assert "46 states are more than the 20 that a report holds" in tab.text_content("#found")
    tab.keyboard.press("End")
    run = written.runs("firewall_after_fins")[0]
    assert told(run, len(run)) == tab.text_content("#live")
    tab.keyboard.press("Home")
    position, away = tab.evaluate(
        """() => { const { graph, states } = page.run;
            const leads = (state) => graph.steps(state).findIndex(
                (step) => graph.target[step] >= graph.expanded);
            const position = states.findIndex((state) => leads(state) >= 0);
            return [position, leads(states[position])]; }"""
    )
    tab.locator(f"#row-{position}").click()
    tab.locator("#steps button").nth(away).click()
    assert "not expanded" in tab.text_content("#no-steps")
    assert [] == other.complaints
    tab.close()


def test_a_page_with_many_models_reads_a_graph_when_it_is_shown(written: Report, tab: Tab) -> None:
    assert [0] == tab.evaluate("[...page.graphs.keys()]")
    written.model(tab, "timed")
    assert 2 in tab.evaluate("[...page.graphs.keys()]")
    assert json.loads(tab.text_content("#report"))["models"][2]["name"] == "timed"
