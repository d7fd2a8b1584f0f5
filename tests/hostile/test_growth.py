"""What events bring anew each time, such as values and names, takes bounded memory."""

import tracemalloc

import numpy as np
import pytest

from detector.assembly import catalog_of
from detector.batch import ModelKey
from detector.drift.policy import DecisionPolicy
from detector.formats import EventOptions, formats
from detector.pipeline import Pipeline
from detector.profile.binning import MAX_CACHED_VALUES
from detector.watched import Monitored
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of, event, training_rows
from tests.support.factories import records as records_of

SPEC = WindowSpec(pane_s=60, lengths_s=(300,), lateness_s=60, max_future_s=300)
GOOD = {"amount": 20.0, "age": 40, "country": "DE", "member": True}


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 3000))


def _held(call):
    """Return the bytes that are still held after a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_distinct_categories_take_bounded_room():
    """They are hashed into a fixed number of places; which one is remembered of few values only."""
    rng = np.random.default_rng(1)
    names = [f"c{i}" for i in range(100)]
    baseline = baseline_of(
        [{name: str(v) for name, v in zip(names, row, strict=True)} for row in rng.integers(0, 5, (500, 100))]
    )
    models = {KEY: Monitored(baseline, DecisionPolicy(), Slices())}
    pipeline, decoder = Pipeline(SPEC, models), formats.get("json")(EventOptions(), catalog_of(models))

    def feed(first, n):
        for i in range(first, first + n, 500):
            values = [event({name: "\U0001f600" * 50 + str(j) for name in names}) for j in range(i, i + 500)]
            list(pipeline.feed(decoder.decode(records_of(values)), START_S))

    feed(0, 500)
    held = _held(lambda: feed(500, 2000))
    assert held < MAX_CACHED_VALUES * 450 + 1_000_000
    assert pipeline.counters.accepted[KEY] == 2500


@pytest.mark.parametrize("version", ["1", None])
def test_names_that_come_from_events_are_not_kept(baseline, version):
    """New versions, with and without a baseline for any; new columns: what is held stays the same."""
    baseline = (
        baseline if version else baseline_of(training_rows(np.random.default_rng(1), 500), version=None)
    )
    key = ModelKey("credit", version or "any")
    models = {key: Monitored(baseline, DecisionPolicy(), Slices())}
    pipeline, decoder = Pipeline(SPEC, models), formats.get("json")(EventOptions(), catalog_of(models))

    def feed(first, n):
        for i in range(first, first + n, 1000):
            values = [
                event({**GOOD, f"new{j}": 1}, key=ModelKey("credit", f"v{j}")) for j in range(i, i + 1000)
            ]
            list(pipeline.feed(decoder.decode(records_of(values)), START_S))

    feed(0, 2000)
    assert _held(lambda: feed(2000, 30_000)) < 300_000
    assert set(pipeline.counters.accepted) <= {key}
