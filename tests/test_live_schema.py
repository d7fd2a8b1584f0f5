"""Live windows held against the schema: at once when something breaks, never on sound data, and it clears."""

import numpy as np
import pytest

from detector.schema import Presence
from detector.windows.spec import WindowSpec
from tests.support.factories import START_S, baseline_of, event
from tests.support.live_schema import (
    BROKEN,
    N_TRAINING,
    NEW_COLUMN,
    PANE,
    Live,
    anomalies_of,
    broken_row,
    on_page,
    sound_rows,
    without,
)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(sound_rows(np.random.default_rng(1), N_TRAINING))


def test_the_first_evaluation_with_such_events_raises_and_all_of_it_clears(baseline, rng):
    """Text for a number, a column gone, a new one: all in the first pane; gone `clear_after` later."""
    live = Live(baseline)
    for _ in range(6):
        live.feed(sound_rows(rng, PANE))
    assert on_page(live.rig.pipeline) == set()
    live.feed([broken_row(row) for row in sound_rows(rng, PANE)])
    assert live.feed(sound_rows(rng, PANE)) == [BROKEN]
    assert {t[1:] for t in live.told} == {
        ("amount", "UNEXPECTED_DATA_TYPE"), ("age", "SCHEMA_MISSING_COLUMN"), ("channel", "SCHEMA_NEW_COLUMN")
    }  # fmt: skip
    assert all(t.starts_at_s == START_S + 420 for t in live.transitions if t.feature)
    for _ in range(12):
        live.feed(sound_rows(rng, PANE))

    assert sorted(t[1:] for t in live.told if t[0] == "firing") == sorted(
        t[1:] for t in live.told if t[0] == "resolved"
    )
    assert len(live.told) == 6
    assert on_page(live.rig.pipeline) == set()


def test_an_alert_lasts_until_clear_after_sound_evaluations(baseline, rng):
    """The window of five panes is sound again five panes later; two more evaluations, and it ends."""
    live = Live(baseline, clear_after=2)
    live.feed([row | {"amount": "?"} for row in sound_rows(rng, PANE)])
    for _ in range(8):
        live.feed(sound_rows(rng, PANE))
    ended = [t for t in live.transitions if t.status == "resolved"]

    assert [(t.feature, t.ends_at_s) for t in ended] == [("amount", START_S + 60 * 7)]
    assert ended[0].id == next(t for t in live.transitions if t.status == "firing").id


def test_sound_data_raise_no_error_in_2000_evaluations(baseline):
    """Gaps of 5 %, categories of 0.5 %, a feature of 1 %, a long tail: no error in 2,000 windows.

    Panes of 20 to 400 events. Seen: 0; so the rate is below 0.15 % a window with confidence 95 %,
    all ten features together.
    """
    rng = np.random.default_rng(7)
    live = Live(baseline, WindowSpec(pane_s=60, lengths_s=(60, 300), lateness_s=0))
    rows = sound_rows(rng, 60_000)
    found = []
    at = 0
    for _ in range(1001):
        n = int(rng.integers(20, 400)) if rng.random() < 0.2 else int(rng.integers(20, 60))
        at = at if at + n < len(rows) else 0
        found += live.feed(rows[at : at + n])
        at += n

    assert len(found) == 1000
    assert [broken for broken in found if broken] == []
    assert [t for t in live.told if t[2] and t[2].isupper()] == []


def test_a_dropped_column_is_not_the_same_as_one_of_nulls(baseline, rng):
    """SCHEMA_MISSING_COLUMN where no event names it, FEATURE_TYPE_NOT_PRESENT where it is null."""
    live = Live(baseline)
    live.feed(sound_rows(rng, PANE))
    live.feed(
        [{k: v for k, v in row.items() if k != "age"} | {"country": None} for row in sound_rows(rng, PANE)]
    )

    assert live.close() == [{("age", "SCHEMA_MISSING_COLUMN"), ("country", "FEATURE_TYPE_NOT_PRESENT")}]


def test_nulls_are_known_though_no_event_of_the_last_pane_was_looked_at(baseline, rng):
    """One poll over forty panes: a few events of it are read whole, and not one of the last pane."""
    live = Live(baseline)
    values = [event(row | {"age": None}, START_S + 60 * i + j)
              for i in range(40) for j, row in enumerate(sound_rows(rng, 30))]  # fmt: skip
    live.rig.feed(values)

    assert {kind for o in live.rig.outcomes for f, kind in anomalies_of(o) if f == "age"} == {
        "FEATURE_TYPE_NOT_PRESENT"
    }


def test_a_column_that_comes_back_brings_no_second_alert(baseline, rng):
    """Half the window still lacks it: that was the dropped column, and is told already.

    `age` had no gaps in training, `ratio` 5 %: with the one the schema would say so, with the other
    the rate of missing values.
    """
    live = Live(baseline)
    for i in range(30):
        rows = sound_rows(rng, PANE)
        if 8 <= i < 14:
            rows = without(rows, "age", "ratio")
        live.feed(rows)

    assert sorted(live.told) == sorted(
        (status, feature, "SCHEMA_MISSING_COLUMN")
        for status in ("firing", "resolved") for feature in ("age", "ratio")
    )  # fmt: skip


def test_a_column_that_comes_back_by_half_is_told_once_the_window_holds_nothing_else(baseline, rng):
    """Gone, then half there: the second is a finding of its own, when the window is past the first."""
    live = Live(baseline)
    for i in range(20):
        rows = sound_rows(rng, PANE)
        if i >= 4:
            rows = [
                {k: v for k, v in r.items() if k != "age" or (i >= 6 and j % 2)} for j, r in enumerate(rows)
            ]
        live.feed(rows)

    assert live.told == [
        ("firing", "age", "SCHEMA_MISSING_COLUMN"),
        ("resolved", "age", "SCHEMA_MISSING_COLUMN"),
        ("firing", "age", "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
    ]
    assert live.transitions[-1].starts_at_s == START_S + 60 * 11


def test_a_column_that_lacks_more_and_more_is_told_again_when_it_is_gone(baseline, rng):
    """What fires for some missing values does not keep silent that there are none any more."""
    live = Live(baseline)
    for i in range(8):
        rows = sound_rows(rng, PANE)
        if i >= 2:
            rows = [
                {k: v for k, v in r.items() if k != "age" or (i < 5 and j % 2)} for j, r in enumerate(rows)
            ]
        live.feed(rows)

    assert ("firing", "age", "FEATURE_TYPE_LOW_FRACTION_PRESENT") in live.told
    assert ("firing", "age", "SCHEMA_MISSING_COLUMN") in live.told


def test_a_model_with_few_events_loses_a_column_too(baseline, rng):
    """Eight events a pane: three panes tell as much as one, and pauses change nothing of it."""
    live = Live(baseline, WindowSpec(pane_s=60, lengths_s=(1800,), lateness_s=0))
    for _ in range(20):
        live.feed(sound_rows(rng, 8))
    found = []
    for i in range(12):
        rows = without(sound_rows(rng, 8), "age")
        found += live.feed(rows, minutes_later=2 * (i == 8))
    has = [("age", "SCHEMA_MISSING_COLUMN") in broken for broken in found]

    assert has == [False] * 3 + [True] * 11
    assert [t for t in live.told if t[2] == "SCHEMA_MISSING_COLUMN"] == [
        ("firing", "age", "SCHEMA_MISSING_COLUMN")
    ]


def test_panes_of_few_and_many_events_in_turn_do_not_end_the_alert(baseline, rng):
    """25 and 5 events in turn, all without the column: one alert, and it stays."""
    live = Live(baseline, clear_after=1)
    for i in range(30):
        rows = sound_rows(rng, 25 if i % 3 == 0 else 5)
        live.feed(without(rows, "age"))

    assert [t for t in live.told if t[2] == "SCHEMA_MISSING_COLUMN"] == [
        ("firing", "age", "SCHEMA_MISSING_COLUMN")
    ]


def test_another_type_shows_in_the_first_pane_of_a_long_window(baseline, rng):
    """A minute of text is a 400th of the window: less than the tolerance, and all of the last pane."""
    live = Live(baseline, WindowSpec(pane_s=60, lengths_s=(24_000,), lateness_s=0))
    for _ in range(150):
        live.feed(sound_rows(rng, 40))
    live.feed([broken_row(row) for row in sound_rows(rng, 40)])

    assert live.feed(sound_rows(rng, 40)) == [BROKEN]
    assert live.feed(sound_rows(rng, 40)) == [{NEW_COLUMN}]


def test_a_feature_that_is_hardly_ever_there_may_be_away_for_a_while(baseline, rng):
    """1 % of the events have it: none in a pane is chance, none in 2,000 events is not."""
    live = Live(baseline, WindowSpec(pane_s=60, lengths_s=(3600,), lateness_s=0))
    found = []
    for _ in range(25):
        rows = without(sound_rows(rng, PANE), "referral")
        found += live.feed(rows)
    first = next(i for i, broken in enumerate(found) if broken)

    assert baseline.schema.features["referral"].presence == Presence(0.0, 1)
    assert found[first:] == [{("referral", "SCHEMA_MISSING_COLUMN")}] * (24 - first)
    # (1 - 0.01)^n = 1e-6 at 1,375 events; at four standard errors below 1 %, at about 2,000.
    assert 1375 <= (first + 1) * PANE <= 2400


def test_an_alert_ends_when_no_window_holds_an_event_any_more(baseline, rng):
    """The model version is taken out of use while it is broken: its alerts do not fire for ever."""
    live = Live(baseline)
    live.feed([broken_row(row) for row in sound_rows(rng, PANE)])
    live.close()
    assert on_page(live.rig.pipeline) == BROKEN
    for _ in range(6):
        live.close()

    assert [t for t in live.told if t[0] == "resolved"] != []
    assert live.rig.pipeline.anomalies.firing == {}
    assert on_page(live.rig.pipeline) == set()


def test_a_gap_between_two_outages_makes_two_alerts(baseline, rng):
    """Windows run empty and start afresh: what is broken then begins then."""
    live = Live(baseline)
    live.feed([broken_row(row) for row in sound_rows(rng, PANE)])
    live.feed([broken_row(row) for row in sound_rows(rng, PANE)], minutes_later=5000)
    live.close()
    began = [t for t in live.transitions if t.status == "firing" and t.feature == "age"]

    assert [t.starts_at_s for t in began] == [START_S + 60, START_S + 60 * 5002]
    assert len(live.rig.outcomes) < 20
