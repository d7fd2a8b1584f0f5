"""Views of real pipelines, for tests of what is shown of them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from detector.drift.policy import DecisionPolicy
from detector.view import SourceStatus, View, view_of
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

TWO_WINDOWS = WindowSpec(pane_s=60, lengths_s=(300.0, 1800.0), lateness_s=0)

CHANGE_S = START_S + 3600
"""When `drifted_view` changes."""

HOSTILE = (
    "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "it's \"quoted\"", "\U0001f600 emoji",
    "\u202eright to left", "x" * 10_000, "line\nbreak\x1b[31m", "..", "a/b?c=d#e",
)  # fmt: skip


def view_over(rig: Rig, **more: Any) -> View:
    """Return what stands after all that was fed."""
    baselines = {KEY: rig.models[KEY].baseline}
    return view_of(
        rig.pipeline, baselines, SourceStatus(connected=True), revision=1, last_evaluation_s=START_S,
        ready=True, **more,
    )  # fmt: skip


def feed(
    rig: Rig,
    rng: np.random.Generator,
    minutes: int,
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row,
    first: int = 0,
) -> None:
    """Feed some minutes of events as in training, changed."""
    for minute in range(first, first + minutes):
        rows = training_rows(rng, 150)
        rig.feed([event(change(row), START_S + 60.0 * minute) for row in rows])


def drifted_view() -> View:
    """An hour as in training, then twenty minutes with an `amount` from elsewhere."""
    rng = np.random.default_rng(1)
    policy = DecisionPolicy(min_samples=100)
    slices = Slices({"country": ("DE", "FR")})
    rig = Rig(baseline_of(training_rows(rng, 3000), slices=("country",)), TWO_WINDOWS, policy, slices)
    feed(rig, rng, 60)
    feed(rig, rng, 20, lambda row: {**row, "amount": row["amount"] * 4}, first=60)
    return view_over(rig)


def hostile_view() -> View:
    """Hostile names as features and categories."""
    rng = np.random.default_rng(2)
    rows = [
        {**row, **{name: float(i % 7) for name in HOSTILE}, "c": HOSTILE[i % len(HOSTILE)]}
        for i, row in enumerate(training_rows(rng, 1000))
    ]
    rig = Rig(baseline_of(rows), TWO_WINDOWS, DecisionPolicy(min_samples=100))
    rig.feed([event({**row, "c": "<b>new</b>"}, START_S + i // 50) for i, row in enumerate(rows)])
    rig.finish()
    return view_over(rig)
