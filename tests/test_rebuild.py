"""Without a cut, the windows come out again from records read again: from not too far back."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.batch import Loss, Partition, Records
from detector.drift.policy import DecisionPolicy
from detector.pipeline import Pipeline
from detector.watched import Monitored
from detector.windows.rebuild import MAX_MARKS, RebuildLedger, RebuildPoint
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of, decoder_of, event, training_rows

N_PARTITIONS = 3
PARTITIONS = tuple(Partition("events", i) for i in range(N_PARTITIONS))
SPECS = (
    WindowSpec(pane_s=60, lengths_s=(300.0, 600.0), lateness_s=60),
    # Two and seven panes as one; the windows begin where the other's panes do not.
    WindowSpec(pane_s=2, lengths_s=(60.0, 360.0), lateness_s=30),
    WindowSpec(pane_s=3, lengths_s=(42.0, 483.0, 1323.0), lateness_s=0),
)


@pytest.fixture(scope="module")
def models():
    baseline = baseline_of(training_rows(np.random.default_rng(1), 1000), slices=("country",))
    return {KEY: Monitored(baseline, DecisionPolicy(min_samples=20), Slices({"country": ("DE", "FR")}))}


class Log:
    """A topic: values by partition, and up to which offset each poll reads."""

    def __init__(self, seed, n_polls=24):
        rng = np.random.default_rng(seed)
        self.values = [[] for _ in range(N_PARTITIONS)]
        self.polls = []
        pace = rng.uniform(0.5, 1.5, N_PARTITIONS)
        for i in range(n_polls):
            for row in training_rows(rng, int(rng.integers(0, 25))):
                partition = int(rng.integers(0, N_PARTITIONS))
                minute = i * 0.8 * (pace[partition] if seed % 2 else 1) + rng.normal(0, 0.6)
                minute -= 7 if rng.random() < 0.05 else 0
                broken = rng.random() < 0.02
                self.values[partition].append(b"{" if broken else event(row, START_S + 60 * minute))
            ends = [len(values) for values in self.values]
            self.polls.append((self.polls[-1][1] if self.polls else [0] * N_PARTITIONS, ends))

    def between(self, begin, end):
        """Return the records of some offsets of each partition, one partition after the other."""
        found = [(self.values[p][at], p, at) for p in range(N_PARTITIONS) for at in range(begin[p], end[p])]
        values, partition, offset = zip(*found, strict=True) if found else ((), (), ())
        return Records(
            list(values), np.array(partition, np.int64), np.array(offset, np.int64),
            np.full(len(values), -1, np.int64), PARTITIONS,
        )  # fmt: skip


def fed(pipeline, models, records):
    """Feed records; return what came of it that windows tell, and how many events were late."""
    late = pipeline.counters.rejected["events", "late"]
    outcomes = pipeline.feed(decoder_of(models).decode(records), START_S + 1e6)
    found = [
        (o.end_s, w.length_s, w.start_s, w.profile.counts.tobytes(), w.hours.tobytes(), w.covered_s, w.news)
        for o in outcomes
        for w in (j.evaluation.window for j in o.judged)
    ]
    return found, pipeline.counters.rejected["events", "late"] - late


def read_again(pipeline, models, log, points, end, rng):
    """Feed what lies between the points and the cut, the partitions as they happen to be read."""
    at = [points[p].offset if p in points else 0 for p in PARTITIONS]
    while at != end:
        to = [min(e, a + int(rng.integers(0, 120))) for a, e in zip(at, end, strict=True)]
        assert fed(pipeline, models, log.between(at, to))[0] == []
        at = to


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 23), st.integers(0, 5), st.sampled_from(SPECS))
@example(0, 0, SPECS[0])
@example(20, 1, SPECS[1])
def test_from_any_cut_on_windows_and_late_events_are_the_same(models, cut, seed, spec):
    """Also if it is cut again while it reads; nothing that was judged is told again."""
    log, rng = Log(seed), np.random.default_rng(seed)
    first = Pipeline(spec, models)
    for begin, end in log.polls[:cut]:
        fed(first, models, log.between(begin, end))
    position = log.polls[cut][0]
    points = first.rebuild_points()
    points = {p: RebuildPoint.of(point.offset, point.text) for p, point in points.items()}

    again = first.anew()
    again.rebuild_from(points)
    halfway = [
        (points[p].offset + end) // 2 if p in points else 0
        for p, end in zip(PARTITIONS, position, strict=True)
    ]
    read_again(again, models, log, points, halfway, rng)
    if seed % 3 == 1:
        tree, again = again.remember(), first.anew()
        again.recall(tree)
    elif seed % 3 == 2:
        points, again = again.rebuild_points(), first.anew()
        again.rebuild_from(points)
        halfway = [points[p].offset if p in points else 0 for p in PARTITIONS]
    rest = {p: RebuildPoint(at, None, None) for p, at in zip(PARTITIONS, halfway, strict=True)}
    read_again(again, models, log, rest, position, rng)

    assert again.watermark_s == first.watermark_s
    assert again.counters.evaluations == {}
    for begin, end in log.polls[cut:]:
        assert fed(again, models, log.between(begin, end)) == fed(first, models, log.between(begin, end))


def test_points_move_on_with_the_windows(models):
    """What no window reaches any more is not read again, but for a coarse pane."""
    log, pipeline = Log(0, 40), Pipeline(SPECS[0], models)
    reread = []
    for begin, end in log.polls:
        fed(pipeline, models, log.between(begin, end))
        points = pipeline.rebuild_points()
        if all(p in points for p in PARTITIONS):
            reread.append(sum(e - points[p].offset for p, e in zip(PARTITIONS, end, strict=True)))

    assert sum(map(len, log.values)) > 400
    # Ten minutes of windows and some that are open: 15 events a minute.
    assert max(reread[20:]) < 15 * 16


def test_the_ledger_is_bounded_however_finely_time_jumps():
    """Marks beyond the bound are thinned out; then more is read again, never less."""
    spec = WindowSpec(pane_s=60, lengths_s=(600.0,), lateness_s=0)
    ledger, p = RebuildLedger(spec), PARTITIONS[0]
    for i in range(50):
        time_s = 60.0 * np.arange(100 * i, 100 * (i + 1))
        offset = np.arange(100 * i, 100 * (i + 1))
        ledger.note(time_s, np.zeros(100, np.int64), offset, (p,), {p: float(time_s[-1])}.get)
        assert len(ledger.remember()[0][2]["offset"]) <= MAX_MARKS
    ledger.forget(60.0 * 4900)
    point = ledger.points(None)[p]
    assert 4700 < point.offset <= 4900
    assert point.max_event_time_s == 60.0 * (point.offset - 1)


def test_a_mark_stays_while_anything_after_it_is_needed():
    """Whatever the first time that windows reach, no record that comes up to it is left out."""
    rng = np.random.default_rng(0)
    ledger, p = RebuildLedger(SPECS[2]), PARTITIONS[0]
    time_s = np.cumsum(rng.choice([0.0, 0.5, 40.0], 500, p=[0.5, 0.45, 0.05])) - rng.choice([0, 30], 500)
    reached = np.maximum.accumulate(time_s)
    first_s = -np.inf
    for i in range(0, 500, 10):
        some = slice(i, i + 10)
        first_s = max(first_s, float(reached[i]) - rng.uniform(-20, 100))
        offset, zeros = np.arange(500)[some], np.zeros(10, np.int64)
        ledger.note(time_s[some], zeros, offset, (p,), {p: float(reached[i + 9])}.get, first_s)
        ledger.forget(first_s)
        point = ledger.points(None)[p]
        needed = np.flatnonzero(time_s[: i + 10] >= first_s)
        assert point.offset <= (needed[0] if len(needed) else i + 10)
        if point.offset:
            assert point.max_event_time_s == reached[point.offset - 1]


@pytest.mark.parametrize(("reason", "expected"), [("truncated", 40), ("recreated", 0), ("poison", 30)])
def test_offsets_that_are_others_now_are_not_read_again(models, reason, expected):
    """A topic that was made anew begins at 0, one that was cut short goes on where it ends."""
    pipeline = Pipeline(WindowSpec(pane_s=60, lengths_s=(300.0,), lateness_s=0), models)
    decoder, rng = decoder_of(models), np.random.default_rng(0)

    def feed(offsets, minute):
        values = [event(row, START_S + 60 * minute) for row in training_rows(rng, len(offsets))]
        zeros = np.zeros(len(values), np.int64)
        list(
            pipeline.feed(
                decoder.decode(Records(values, zeros, np.array(offsets), zeros - 1, PARTITIONS[:1])),
                START_S + 1e6,
            )
        )

    for minute in range(9):
        feed(range(10 * minute, 10 * minute + 10), minute)
    before = pipeline.rebuild_points()[PARTITIONS[0]]
    assert (before.offset, before.closed_before_s) == (30, START_S + 8 * 60)
    pipeline.lose([Loss(PARTITIONS[0], reason, 0, 85, 85)])
    feed(range(expected, expected + 10), 8)

    after = pipeline.rebuild_points()[PARTITIONS[0]]
    if reason == "truncated":
        assert after.offset == 30
        pipeline.lose([Loss(PARTITIONS[0], reason, 0, 25, 25)])
        assert pipeline.rebuild_points()[PARTITIONS[0]].offset == 25
    else:
        assert after.offset == expected


def test_text_is_small_and_comes_back():
    """It is kept beside a committed offset, where there is little room."""
    for point in (RebuildPoint(5, None, None), RebuildPoint(2**40, START_S + 0.1234567, START_S)):
        assert RebuildPoint.of(point.offset, point.text) == point
        assert len(point.text) < 100


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", "7", "{}", '{"v":2,"max":1,"closed":1}', '{"v":1,"max":1}', '{"v":1,"closed":1}',
        '{"v":1,"max":"1","closed":1}', '{"v":1,"max":true,"closed":1}', '{"v":1,"max":NaN,"closed":1}',
        '{"v":1,"max":1e300,"closed":1}', '{"v":1,"max":1,"closed":-Infinity}', "[" * 900,
        '{"v":1,"max":' + "9" * 800 + ',"closed":1}', " " * 2000,
    ],
)  # fmt: skip
def test_other_texts_are_refused(text):
    """Anybody may commit anything under the name of a group."""
    with pytest.raises(ValueError, match=r"^(is|has) "):
        RebuildPoint.of(5, text)


def test_an_offset_below_zero_is_refused():
    """Which is what clients say where nothing is committed."""
    with pytest.raises(ValueError, match="is no point"):
        RebuildPoint.of(-1001, RebuildPoint(0, None, None).text)
