"""A metrics page over a few events, for tests of what is served."""

from collections.abc import Mapping, Sequence
from typing import Any

from detector.metrics import Metrics
from detector.view import SourceStatus, view_of
from tests.support.factories import KEY, Rig, baseline_of, event


def page_of(rows: Sequence[Mapping[str, Any]]) -> Metrics:
    """Return what serves the events of `rows`, held against a baseline of the same."""
    rig = Rig(baseline_of(rows))
    rig.feed([event(row, 1_700_000_000.0) for row in rows])
    metrics = Metrics()
    metrics.publish(
        view_of(
            rig.pipeline, {KEY: rig.models[KEY].baseline}, SourceStatus(connected=True),
            revision=1, last_evaluation_s=None, ready=True,
        )
    )  # fmt: skip
    return metrics
