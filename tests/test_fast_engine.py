"""The fast engine against the plain one: the same graph, verdicts and runs, and how it may end."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

pytest.importorskip("numba", reason="the extra `fast` is not installed")

import numpy as np

from properties.check import check, properties_of
from properties.judge import judge
from properties.kinds import always, leads_to, never_a_step, sometimes
from properties.verdict import Answer, Verdict
from tcpclose_model.engines.fast import large as large_module
from tcpclose_model.engines.fast import numbered as numbered_module
from tcpclose_model.engines.fast import visited
from tcpclose_model.engines.fast.atoms import GROUP_BYTES
from tcpclose_model.engines.fast.large import LargeSearch
from tcpclose_model.engines.fast.tables import Tables
from tcpclose_model.engines.fast.visited_set import expected_keys
from tcpclose_model.errors import ModelError
from tcpclose_model.large import LargeSpace, explore_large
from tcpclose_model.limits import Limits, Stage
from tcpclose_model.model import Model, plain_only
from tcpclose_model.parts import Application, Network, Timers
from tcpclose_model.protocol.edits import removed, rows
from tcpclose_model.protocol.rules import RFC9293
from tcpclose_model.protocol.vocabulary import CLOSED, TIME_WAIT, Event
from tcpclose_model.search import PLAIN_STATES, expected_states, explore
from tcpclose_model.space import StateSpace
from tcpclose_model.variants.catalogue import MODELS
from tcpclose_model.variants.parameters import with_parameters
from tests.explored import fast_graph_of, plain_graph_of, verdicts_of
from tests.strategies import MUTANTS, STATES_MAX, examples, models, reopening_models

FAST = [name for name in sorted(MODELS) if not plain_only(MODELS[name])]
NO_TEXT = Application(data_units=(0, 0))
LARGER = with_parameters(MODELS["rfc9293"], ["network.capacity=3", "application.data_units=0,1"])


def assert_same_graph(plain: StateSpace, fast: StateSpace) -> None:
    """Check that both searches found the same states and steps, in the same order."""
    assert fast.is_fast
    assert not plain.is_fast
    assert plain.levels == fast.levels
    assert plain.cut == fast.cut
    assert list(plain.first_step) == list(fast.first_step)
    assert list(plain.target) == list(fast.target)
    assert len(plain) == len(fast)
    states = range(0, len(plain), 1 + len(plain) // 5_000)
    assert [plain.state(n) for n in states] == [fast.state(n) for n in states]
    for step in range(0, plain.transitions, 1 + plain.transitions // 10_000):
        one, other = plain.moves[plain.move[step]], fast.moves[fast.move[step]]
        assert one[:5] == other[:5]
        for mine, theirs in ((one.before, other.before), (one.after, other.after)):
            assert (mine < 0) == (theirs < 0)
            assert mine < 0 or plain.tcbs[mine] == fast.tcbs[theirs]


def verdicts(space: StateSpace | LargeSpace, model: Model) -> list[Verdict]:
    return [judge(space, prop) for prop in properties_of(model)]


def assert_same_counts(
    space: StateSpace, large: LargeSpace, said: list[Verdict] | None = None
) -> None:
    """Check counts, and every verdict that the large mode gives; `said` are those of the graph."""
    said = verdicts(space, space.model) if said is None else said
    assert large.stopped == ""
    assert (len(space), space.transitions) == (len(large), large.transitions)
    assert space.depth == large.depth
    for whole, counted in zip(said, verdicts(large, space.model), strict=True):
        if counted.answer is not Answer.UNKNOWN:
            assert whole == counted


@pytest.mark.parametrize("name", FAST)
def test_graph_verdicts_and_runs_of_the_catalogue_are_the_plain_ones(name: str) -> None:
    fast = fast_graph_of(name)
    assert_same_graph(plain_graph_of(name), fast)
    assert verdicts_of(name) == verdicts(fast, MODELS[name])


@pytest.mark.parametrize("name", FAST)
def test_counts_and_safety_of_the_catalogue_without_its_graph_are_the_plain_ones(name: str) -> None:
    large = explore_large(MODELS[name], Limits(), threads=2)
    assert_same_counts(plain_graph_of(name), large, verdicts_of(name))


@pytest.mark.parametrize("name", ["rfc9293_literal", "picotcp_10", "user_timeout", "table_154"])
def test_without_symmetry_the_counts_and_verdicts_are_the_same(name: str) -> None:
    model = MODELS[name]
    with_it, without = (explore_large(model, Limits(), threads=1, reduce=r) for r in (True, False))
    assert with_it.reductions
    assert not without.reductions
    assert with_it.counts.stored < without.counts.stored == len(without)
    for large in (without, with_it):
        assert_same_counts(plain_graph_of(name), large, verdicts_of(name))


@examples(50)
@given(models() | reopening_models())
def test_random_models_are_searched_and_judged_as_by_the_plain_engine(model: Model) -> None:
    plain = explore(model, engine="plain", max_states=STATES_MAX)
    assume(plain.complete)
    fast = explore(model, engine="fast")
    assert_same_graph(plain, fast)
    said = verdicts(plain, model)
    assert said == verdicts(fast, model)
    assert_same_counts(plain, explore_large(model, Limits(), threads=1), said)


def refusal(model: Model, engine: str) -> str | None:
    """Return what is said of a model that an engine cannot run, or None."""
    try:
        explore(model, engine=engine, max_states=30_000)
    except ModelError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", sorted(rule.name for rule in RFC9293.rules))
def test_a_table_that_lacks_a_row_is_judged_as_by_the_plain_engine(name: str) -> None:
    without = RFC9293.edit(rows(name=name), removed(), why="a mutant")
    model = Model(a=without, b=RFC9293, application=Application(data_units=(0, 1)))
    if (refused := refusal(model, "plain")) is not None:
        assert refused == refusal(model, "fast")
        return
    plain = explore(model, engine="plain", max_states=30_000)
    assert plain.complete
    fast = explore(model, engine="fast")
    assert_same_graph(plain, fast)
    assert verdicts(plain, model) == verdicts(fast, model)


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_mutant_is_judged_as_by_the_plain_engine(name: str) -> None:
    model = Model(a=MUTANTS[name], b=MUTANTS[name], application=NO_TEXT)
    plain, fast = explore(model, engine="plain"), explore(model, engine="fast")
    said = verdicts(plain, model)
    assert said == verdicts(fast, model)
    assert_same_counts(plain, explore_large(model, Limits(), threads=2), said)


channels_matter = always("At most one segment is on its way to A.", lambda s: len(s.b_to_a) < 2)
whole_tcbs = sometimes("Both ends are alike.", lambda s: s.a == s.b and s.a.state == CLOSED)
raises = always(
    "A predicate may not be asked about what does not occur.",
    lambda s: 1 // (2 - s.a.snd_nxt) > 0,
    when=lambda s: s.a.state == TIME_WAIT,
)
loses_late = never_a_step(
    "Nothing is lost once A is in TIME-WAIT.",
    lambda before, step, after: step.event is Event.SEGMENT_IS_LOST and before.a.state == TIME_WAIT,
)
drains = leads_to(
    "What is in flight gets there.", when=lambda s: len(s.a_to_b) > 0, then=lambda s: not s.a_to_b
)


@pytest.mark.parametrize("prop", [channels_matter, whole_tcbs, loses_late, drains])
def test_a_predicate_may_read_channels_and_whole_tcbs(prop: object) -> None:
    model = replace(MODELS["delayed_ack"], properties=(prop,), expect={})
    plain, fast = explore(model, engine="plain"), explore(model, engine="fast")
    assert verdicts(plain, model) == verdicts(fast, model)
    (verdict,) = verdicts(explore_large(model, Limits()), model)
    assert verdict.answer is Answer.UNKNOWN
    assert verdict.detail


def test_a_field_that_no_table_has_is_read_as_its_default() -> None:
    prop = sometimes(
        "B is in TIME-WAIT and has counted nothing.",
        lambda s: s.b.state == TIME_WAIT and getattr(s.b, "counted", 0) == 0,
    )
    model = replace(MODELS["delayed_ack"], properties=(prop,), expect={})
    said = verdicts(explore(model, engine="plain"), model)
    assert Answer.HOLDS is said[0].answer
    for space in (explore(model, engine="fast"), explore_large(model, Limits())):
        assert said == verdicts(space, model)


def test_a_predicate_that_raises_is_heard_where_it_raises_on_a_state_that_occurs() -> None:
    broken = always("It divides by zero.", lambda s: 1 // s.a.snd_nxt > 0)
    model = MODELS["table_154"]
    for engine in ("plain", "fast", "large"):
        with pytest.raises(ZeroDivisionError):
            check(replace(model, properties=(broken,), expect={}), engine=engine)


def test_a_predicate_is_not_blamed_for_what_does_not_occur() -> None:
    prop = sometimes("B reads.", lambda s: s.a.state == CLOSED and 1 // (3 - s.a.rcv_nxt) > 0)
    model = replace(MODELS["delayed_ack"], properties=(prop,), expect={})
    assert verdicts(explore(model, engine="plain"), model) == verdicts(
        explore(model, engine="fast"), model
    )


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk", [1 << 12, 1 << 20])
def test_threads_change_neither_counts_nor_runs(
    monkeypatch: pytest.MonkeyPatch, threads: int, chunk: int
) -> None:
    monkeypatch.setattr(large_module, "CHUNK", chunk)
    large = explore_large(LARGER, Limits(), threads=threads, reduce=False)
    assert_same_counts(explore(LARGER, engine="fast"), large)


@pytest.mark.parametrize("order", ["fifo", "any", "set"])
@pytest.mark.parametrize("duplication", [False, True])
def test_segments_that_find_no_room_are_counted_as_by_the_plain_engine(
    order: str, duplication: bool
) -> None:
    network = Network(capacity=2, order=order, loss=True, duplication=duplication)
    model = Model(network=network, application=NO_TEXT)
    space = explore(model, engine="plain")
    counts = explore_large(model, Limits(), threads=1).counts
    overflows = sum(space.moves[move].overflow for move in space.move)
    assert overflows > 0
    assert overflows == sum(int(row.sum()) for code, row in enumerate(counts.made) if code & 2)


# The visited set ------------------------------------------------------------------------------


def empty_table(groups: int, kind: type) -> np.ndarray:
    """Return cells for so many homes, from the beginning of a cache line on."""
    size = (groups + visited.TAIL) * GROUP_BYTES
    raw = np.zeros(size + GROUP_BYTES, np.uint8)
    begin = -raw.ctypes.data % GROUP_BYTES
    return raw[begin : begin + size].view(kind)


def insert_all(keys: Iterator[int], key_bits: int, distance_bits: int, cell_bits: int) -> int:
    """Insert into a set that starts small and grows; return how many keys were new."""
    groups = 16
    table = empty_table(1 << 12, np.uint32 if cell_bits == 32 else np.int64)
    stash, shared = np.zeros(1 << 12, np.int64), np.zeros(64, np.int64)

    def cells() -> visited.Cells:
        bits = max(key_bits, visited.HOME_BITS)
        homes = -(-(1 << visited.HOME_BITS) // groups)
        remainder = bits - visited.HOME_BITS + (homes - 1).bit_length()
        return visited.Cells(bits, groups, remainder, distance_bits)

    now, new = cells(), 0
    for key in keys:
        mixed = visited.mixed(key, now.key_bits)
        found = visited.insert(table, now, stash, shared, mixed)
        assert found != visited.STASH_FULL
        new += found == visited.NEW
        if new > 0.9 * groups * 512 // cell_bits:
            groups = groups * 3 // 2
            before, now = now, cells()
            assert visited.grow(table, before, now, stash, shared) == visited.NEW
    return new


@pytest.mark.parametrize("distance_bits", [1, 2, 4])
@pytest.mark.parametrize(
    ("key_bits", "cell_bits"), [(12, 32), (31, 32), (33, 64), (47, 64), (57, 64)]
)
def test_the_visited_set_is_exact_whatever_overflows(
    key_bits: int, cell_bits: int, distance_bits: int
) -> None:
    source = random.Random(key_bits)
    keys = [source.randrange(1 << key_bits) for _ in range(4_000)]
    keys += source.sample(keys, 2_000) + list(range(500))
    assert insert_all(iter(keys), key_bits, distance_bits, cell_bits) == len(set(keys))


@given(st.integers(32, 62), st.integers(16, 1 << 16), st.integers(0))
@examples(200)
def test_a_cell_tells_its_key(key_bits: int, groups: int, number: int) -> None:
    cells = visited.cells_for(key_bits, groups, 64)
    assume(cells is not None)
    assert cells is not None
    key = number % (1 << key_bits)
    table = empty_table(groups, np.int64)
    stash, shared = np.zeros(8, np.int64), np.zeros(64, np.int64)
    assert visited.insert(table, cells, stash, shared, key) == visited.NEW
    assert visited.insert(table, cells, stash, shared, key) == visited.KNOWN
    found = np.zeros(8, np.int64)
    assert visited.keys_in(table, cells, 0, groups, found) == 1
    assert found[0] == key


def test_a_table_that_grows_part_by_part_keeps_its_keys() -> None:
    old, new = (visited.cells_for(42, groups, 32) for groups in (1 << 17, (1 << 17) * 9 // 8 + 1))
    assert old is not None
    assert new is not None
    assert old.groups > 3 * visited.GROW_BUFFER
    keys = np.unique(np.random.default_rng(5).integers(0, 1 << 42, old.groups * 14))
    table, stash = empty_table(new.groups, np.uint32), np.zeros(1 << 14, np.int64)
    shared = np.zeros(64, np.int64)
    assert visited.put_new(table, old, stash, shared, keys, keys.size) == visited.NEW
    assert visited.grow(table, old, new, stash, shared) == visited.NEW
    found = np.zeros(keys.size, np.int64)
    count = visited.keys_in(table, new, 0, new.groups + visited.TAIL, found)
    assert keys.tolist() == sorted(found[:count].tolist() + (stash[stash != 0] - 1).tolist())


def test_the_guess_of_how_many_keys_there_will_be_is_of_the_right_order() -> None:
    sizes = [
        1, 4, 24, 114, 486, 1_914, 6_962, 23_297, 72_412, 203_995, 526_178, 1_227_756, 2_593_684,
        4_940_987, 8_411_518, 12_793_773, 17_121_329, 19_996_061, 20_089_221, 16_990_903,
        11_873_851, 6_653_762, 2_926_618, 985_173, 250_402, 49_214, 7_668, 796, 66,
    ]  # fmt: skip  # the fixed instance of the benchmarks at 127.7 million states
    for depths in range(10, len(sizes)):
        assert 0.5 < expected_keys(sizes[:depths]) / sum(sizes) < 1.5


@given(st.integers(33, 62), st.integers(0), st.integers(0))
@examples(100)
def test_mixing_is_one_to_one(key_bits: int, one: int, other: int) -> None:
    one, other = one % (1 << key_bits), other % (1 << key_bits)
    mixed = [visited.mixed(key, key_bits) for key in (one, other)]
    assert all(0 <= key < 1 << key_bits for key in mixed)
    assert (one == other) == (mixed[0] == mixed[1])


def test_a_full_stash_is_told() -> None:
    table, stash = empty_table(8, np.int64), np.zeros(2, np.int64)
    shared = np.zeros(64, np.int64)
    cells = visited.Cells(40, 8, 37, 1)
    found = {visited.insert(table, cells, stash, shared, key) for key in range(1_000)}
    assert visited.STASH_FULL in found


# How a search may end -------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["fast", "large"])
@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"max_states": 20_000}, "--max-states 20000 was hit"),
        ({"max_seconds": 0.0}, "--max-seconds 0 was hit"),
        ({"max_memory": 1 << 20}, "--max-memory 1 MiB was hit"),
    ],
)
def test_a_limit_leaves_unknown_verdicts_and_the_counts_so_far(
    engine: str, limit: dict[str, float], told: str
) -> None:
    result = check(LARGER, engine=engine, **limit)  # type: ignore[arg-type]  # numbers of any kind
    assert told == result.space.stopped
    assert len(result.space) >= 1
    assert {v.answer for v in result.verdicts} <= {Answer.UNKNOWN, Answer.VIOLATED}
    assert 3 == result.exit_status


@pytest.mark.parametrize("engine", ["fast", "large"])
def test_an_interrupt_ends_a_search_like_a_limit(engine: str) -> None:
    def interrupt(stage: Stage) -> None:
        if stage.states > 1_000:
            raise KeyboardInterrupt

    result = check(LARGER, engine=engine, progress=interrupt)
    assert "interrupted" == result.space.stopped
    assert 1_000 < len(result.space)
    assert all(v.answer in (Answer.UNKNOWN, Answer.VIOLATED) for v in result.verdicts)


def test_a_fast_search_that_stops_keeps_a_beginning() -> None:
    whole = explore(LARGER, engine="fast")
    part = explore(LARGER, engine="fast", max_states=20_000)
    assert list(whole.target[: part.transitions]) == list(part.target)
    assert [whole.state(n) for n in range(0, len(part), 97)] == [
        part.state(n) for n in range(0, len(part), 97)
    ]


def test_a_graph_with_too_many_steps_is_judged_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbered_module, "STEPS_KEPT_MAX", 100_000)
    result = check(LARGER, engine="fast")
    assert isinstance(result.space, LargeSpace)
    assert result.space.complete
    assert result["no_deadlock"].answer is Answer.HOLDS
    assert result["both_eventually_closed"].answer is Answer.UNKNOWN
    assert "needs the graph" in result["both_eventually_closed"].detail


def test_a_key_that_fits_no_word_leaves_the_model_to_the_plain_engine() -> None:
    wide = Model(
        network=Network(capacity=30, loss=False),
        timers=Timers(retransmission="none"),
        application=Application(data_units=(1, 0)),
    )
    assert not explore(wide).is_fast
    with pytest.raises(ModelError, match=r"a state takes .* bits"):
        explore(wide, engine="fast")


def test_an_engine_that_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match="did you mean fast"):
        explore(MODELS["table_154"], engine="fats")


# Which engine ---------------------------------------------------------------------------------


def test_the_plain_engine_hands_over_what_looks_large_and_nothing_else() -> None:
    assert not explore(MODELS["rfc9293"]).is_fast
    large = with_parameters(MODELS["rfc9293"], ["network.capacity=3"])
    assert explore(large).is_fast
    assert not explore(large, max_states=PLAIN_STATES).is_fast


def test_the_guess_of_a_size_is_of_the_right_order() -> None:
    for name in ("rfc9293", "reset_on_unread", "user_timeout"):
        space = explore(MODELS[name], engine="plain")
        sizes = [b - a for a, b in pairwise([*space.levels, len(space)])]
        seen = next(d for d in range(len(sizes)) if sum(sizes[: d + 1]) > len(space) // 2)
        assert 0.5 < expected_states(sizes[: seen + 1]) / len(space) < 2


def test_a_small_model_loads_neither_numba_nor_numpy() -> None:
    code = (
        "import sys\nfrom properties.check import check\n"
        "from tcpclose_model.variants.catalogue import MODELS\ncheck(MODELS['rfc9293_literal'])\n"
        "print([name for name in ('numba', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()


def test_without_the_extra_a_limit_names_the_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcpclose_model.search.has_fast_engine", lambda: False)
    large = with_parameters(MODELS["rfc9293"], ["network.capacity=3"])
    space = explore(large, max_memory=1)
    assert "tcpclose-model[fast]" in space.stopped
    with pytest.raises(ModelError, match="pip install"):
        explore(large, engine="fast")


def test_tables_that_are_filled_already_give_the_same_counts() -> None:
    tables = Tables(MODELS["delayed_ack"])
    runs = [LargeSearch(tables, Limits(), threads=2).run() for _ in range(2)]
    assert runs[0].states == runs[1].states == len(explore(MODELS["delayed_ack"]))
    assert (runs[0].made.sum(), runs[0].sent_on.sum()) == (
        runs[1].made.sum(),
        runs[1].sent_on.sum(),
    )


# Keys that are too wide for a word --------------------------------------------------------------


def names_channels(monkeypatch: pytest.MonkeyPatch, name_bits: int) -> None:
    """Make keys hold numbers of channels, as where the channels themselves do not fit."""
    packing = Tables.packing
    monkeypatch.setattr(Tables, "packing", lambda self: packing(self)._replace(name_bits=name_bits))


@pytest.mark.parametrize("name", ["delayed_ack", "wild_network", "user_timeout", "reordering"])
def test_numbers_of_channels_in_the_keys_change_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    names_channels(monkeypatch, 11)
    model = MODELS[name]
    plain, fast = plain_graph_of(name), explore(model, engine="fast")
    assert_same_graph(plain, fast)
    said = verdicts_of(name)
    assert said == verdicts(fast, model)
    for reduce in (True, False):
        large = explore_large(model, Limits(), threads=2, reduce=reduce)
        assert_same_counts(plain, large, said)


def test_a_model_with_long_channels_needs_such_keys() -> None:
    model = Model(
        network=Network(capacity=12, loss=False),
        application=Application(data_units=(1, 0), closes="b_never"),
    )
    plain, fast = explore(model, engine="plain"), explore(model, engine="fast")
    assert Tables(model).packing().name_bits == 0  # at first; what is known then is little
    assert_same_graph(plain, fast)
    assert_same_counts(plain, explore_large(model, Limits(), threads=2))


def test_channels_with_more_contents_than_numbers_are_left_to_the_plain_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names_channels(monkeypatch, 3)
    with pytest.raises(ModelError, match="more different contents"):
        explore(MODELS["delayed_ack"], engine="fast")
