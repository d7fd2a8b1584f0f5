"""Live windows held against the schema: however events are written, late, or full of rubbish."""

import json

import numpy as np
import pytest

from detector.batch import ModelKey, Partition
from detector.formats import EventFields, EventOptions
from detector.pipeline import Pipeline
from detector.sinks.log import describe
from detector.times import format_time
from detector.watched import Monitored
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of, decoder_of, event, records, training_rows
from tests.support.live_schema import (
    BROKEN,
    N_TRAINING,
    NEW_COLUMN,
    PANE,
    POLICY,
    SPEC,
    Live,
    anomalies_of,
    broken_row,
    on_page,
    sound_rows,
)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(sound_rows(np.random.default_rng(1), N_TRAINING))


FLAT = EventOptions(EventFields(features=""))


def _flat(row, time_s):
    document = {"model": KEY.model, "version": KEY.version, "event_id": "7", "label": 1, "tags": {"a": "b"}}
    return json.dumps(document | {"timestamp": format_time(time_s)} | row).encode()


def test_features_beside_the_other_parts_of_an_event(baseline, rng):
    """`event.fields.features: ""`: model, time, id, label and tags are no new columns."""
    live = Live(baseline, events=FLAT)
    live.feed(sound_rows(rng, PANE), _flat)
    live.feed([broken_row(row) for row in sound_rows(rng, PANE)], _flat)

    assert anomalies_of(live.rig.outcomes[0]) == set()
    assert live.close() == [BROKEN]


def test_parts_that_lie_among_the_features_are_no_new_columns(baseline, rng):
    """The id, the label and the tags in the features' own object are known by their pointers."""
    fields = EventFields(features="/data", id="/data/meta/id", label="/data/outcome", tags="/data/tags")
    live = Live(baseline, events=EventOptions(fields))

    def write(row, time_s):
        data = {**row, "meta": {"id": "7"}, "outcome": 1, "tags": {"a": "b"}}
        return json.dumps(json.loads(event({}, time_s)) | {"data": data}).encode()

    live.feed(sound_rows(rng, PANE), write)

    assert live.close() == [set()]


def test_features_given_as_pointers(baseline, rng):
    """Each at a place of its own: types, dropped columns and nulls show; nothing can be a new column."""
    places = {name: f"/in/{name}/value" for name in baseline.features.names}
    live = Live(baseline, events=EventOptions(EventFields(features=places)))

    def write(row, time_s):
        document = {"model": "credit", "version": "1", "timestamp": format_time(time_s)}
        return json.dumps(document | {"in": {name: {"value": value} for name, value in row.items()}}).encode()

    live.feed(sound_rows(rng, PANE), write)
    live.feed([broken_row(row) | {"country": None} for row in sound_rows(rng, PANE)], write)

    assert anomalies_of(live.rig.outcomes[0]) == set()
    assert live.close() == [(BROKEN - {NEW_COLUMN}) | {("country", "FEATURE_TYPE_NOT_PRESENT")}]


@pytest.mark.parametrize(
    ("prediction", "kind"),
    [({}, "SCHEMA_MISSING_COLUMN"), ({"prediction": None}, "FEATURE_TYPE_NOT_PRESENT"),
     ({"prediction": {"score": None}}, "FEATURE_TYPE_NOT_PRESENT"),
     ({"prediction": {"score": "high"}}, "UNEXPECTED_DATA_TYPE")],
)  # fmt: skip
def test_predictions_are_columns_too(rng, prediction, kind):
    """A model that gives no score, null, or a word for it."""
    rows = [
        row | {"prediction.score": s}
        for row, s in zip(training_rows(rng, 2000), rng.random(2000).tolist(), strict=True)
    ]
    live = Live(baseline_of(rows, prediction=("prediction.score",)))
    live.feed(training_rows(rng, PANE), lambda row, t: event(row, t, prediction={"score": 0.5}))
    live.feed(training_rows(rng, PANE), lambda row, t: event(row, t, **prediction))

    assert anomalies_of(live.rig.outcomes[0]) == set()
    assert live.close() == [{("prediction.score", kind)}]


def test_model_versions_do_not_answer_for_each_other(baseline, rng):
    """Version 2 sends the broken events: version 1 has no anomaly, and stays without one."""
    other = ModelKey("credit", "2")
    models = {key: Monitored(baseline, POLICY) for key in (KEY, other)}
    pipeline, decoder = Pipeline(SPEC, models), decoder_of(models)

    def feed(minute, broken):
        at = START_S + 60 * minute
        values = [event(row, at) for row in sound_rows(rng, PANE)]
        rows = sound_rows(rng, PANE)
        values += [event(broken_row(row) if broken else row, at, other) for row in rows]
        return list(pipeline.feed(decoder.decode(records(values)), START_S + 1e6))

    feed(0, False)
    feed(1, True)
    outcome = feed(2, False)[0]
    by_key = {
        j.evaluation.key: {a.kind for a in j.anomalies if a.severity == "error"} for j in outcome.judged
    }

    assert by_key == {KEY: set(), other: {kind for _, kind in BROKEN}}
    assert {t.key for t in outcome.transitions} == {other}


def test_late_events_amend_what_their_window_says(baseline, rng):
    """Broken events of a partition that lagged, for a pane that is closed: the next evaluation has them."""
    live = Live(baseline, WindowSpec(pane_s=60, lengths_s=(300,), lateness_s=0))
    pipeline, rig = live.rig.pipeline, live.rig
    for minute in range(3):
        rig.feed([event(row, START_S + 60 * minute) for row in sound_rows(rng, PANE)], [0] * PANE, 2)
        list(map(rig.outcomes.append, pipeline.quiet([Partition("events", 1)], 0.0)))
    late = [event(broken_row(row), START_S + 61 + i / 10) for i, row in enumerate(sound_rows(rng, PANE))]
    rig.feed(late, [1] * PANE, 2)
    list(map(rig.outcomes.append, pipeline.quiet([Partition("events", 1)], 0.0)))
    rig.feed([event(row, START_S + 240) for row in sound_rows(rng, PANE)], [0] * PANE, 2)
    list(map(rig.outcomes.append, pipeline.quiet([Partition("events", 1)], 0.0)))
    found = [anomalies_of(o) for o in rig.outcomes]

    assert next(kinds for kinds in found if kinds) == {
        ("amount", "UNEXPECTED_DATA_TYPE"), ("age", "FEATURE_TYPE_LOW_FRACTION_PRESENT"), NEW_COLUMN
    }  # fmt: skip


def test_windows_of_coarse_panes_forget_a_new_column_with_their_events(baseline, rng):
    """400 panes kept as 134: the name goes when its pane leaves, at the grid of the window."""
    spec = WindowSpec(pane_s=60, lengths_s=(300, 24_000), lateness_s=0)
    live = Live(baseline, spec)
    live.feed([row | {"channel": "app"} for row in sound_rows(rng, 25)])
    for _ in range(405):
        live.feed(sound_rows(rng, 20))
    last = max(o.end_s for o in live.rig.outcomes if NEW_COLUMN in anomalies_of(o))

    assert START_S + 24_000 - 60 * spec.coarseness(24_000) <= last <= START_S + 24_000
    assert live.told == [
        ("firing", "channel", "SCHEMA_NEW_COLUMN"),
        ("resolved", "channel", "SCHEMA_NEW_COLUMN"),
    ]


def test_a_flood_of_new_columns_is_one_alert(baseline, rng):
    """Every event has columns of its own: one alert that says so, bounded memory, and it clears."""
    live = Live(baseline)
    for minute in range(40):
        live.feed(
            [row | {f"x-{minute}-{i}-{k}": 1 for k in range(30)} for i, row in enumerate(sound_rows(rng, 50))]
        )
    during = [t for t in live.told if t[0] == "firing"]
    for _ in range(12):
        live.feed(sound_rows(rng, 50))
    news = live.rig.pipeline._watched[KEY].windows._news

    assert during == [("firing", None, "SCHEMA_NEW_COLUMN")]
    assert live.told[len(during) :] == [("resolved", None, "SCHEMA_NEW_COLUMN")]
    assert len(news._last_pane_with) == 0
    assert on_page(live.rig.pipeline) == set()


def test_a_flood_leaves_no_alerts_of_single_columns_behind(baseline, rng):
    """As the window slides out of a flood, a few names are left: still the same alert."""
    live = Live(baseline)
    for minute in range(30):
        n_new = 8 if minute in (4, 5, 6, 7) else 0
        live.feed([row | {f"x-{minute}-{k}": 1 for k in range(n_new)} for row in sound_rows(rng, 50)])
    flood = [t for t in live.told if t[1] is None]

    assert flood == [("firing", None, "SCHEMA_NEW_COLUMN"), ("resolved", None, "SCHEMA_NEW_COLUMN")]
    assert len([t for t in live.told if t[0] == "firing"]) <= 1 + 16
    assert live.rig.pipeline.anomalies.firing == {}
    assert live.rig.pipeline.anomalies._calm == {}


@pytest.mark.parametrize("name", ['a"} 1\nx{b="', "line\nbreak", "\u202edrow", "é" * 500, "", "a=b c"])
def test_names_of_new_columns_break_neither_page_nor_log(baseline, rng, name):
    """They come from events: the page has none of them, the log has them in quotes on one line."""
    live = Live(baseline)
    live.feed([row | {name: 1} for row in sound_rows(rng, PANE)])
    live.close()
    line = describe(live.transitions[0])

    assert on_page(live.rig.pipeline) == {NEW_COLUMN}
    assert "\n" not in line
    assert line.split(" window=")[0].split("feature=")[1].strip('"').isprintable()
    assert line.count(" kind=") == 1
    assert len(line) < 1000


def test_a_log_line_cannot_be_forged_by_the_name_of_a_column(baseline, rng):
    """A name that looks like the rest of the line stands in quotes."""
    live = Live(baseline)
    live.feed([row | {"x status=resolved alert=Other": 1} for row in sound_rows(rng, PANE)])
    live.close()

    assert 'feature="x status=resolved alert=Other" window=' in describe(live.transitions[0])


def test_1000_features_of_which_three_break(rng):
    """Exactly those three are asked about; the others pass the check of all at once."""
    names = [f"f{i:04d}" for i in range(1000)]
    rows = [dict(zip(names, row, strict=True)) for row in rng.normal(0, 1, (400, 1000)).round(3).tolist()]
    live = Live(baseline_of(rows))
    live.feed(rows[:100])
    live.feed(
        [{k: v for k, v in row.items() if k != "f0500"} | {"f0007": "x", "f1000": 1} for row in rows[:100]]
    )

    assert anomalies_of(live.rig.outcomes[0]) == set()
    assert live.close() == [
        {("f0007", "UNEXPECTED_DATA_TYPE"), ("f0500", "SCHEMA_MISSING_COLUMN"), NEW_COLUMN}
    ]
