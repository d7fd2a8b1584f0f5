"""How large a change is while its alert fires: now, and at most."""

import math
from dataclasses import dataclass

from detector.drift.evaluation import Evaluation, State


@dataclass(frozen=True, slots=True)
class Size:
    """The statistic of an alert, in the window that raised it; None where the alert has no number."""

    value: float | None
    """In the latest window with enough events."""
    threshold: float | None
    peak: float | None
    """The largest value since the alert began."""
    at_s: float
    """End of the latest window, enough events or not."""

    @classmethod
    def at_first(cls, value: float | None, threshold: float | None, at_s: float) -> "Size":
        """Return the size of an alert that begins."""
        return cls(value, threshold, value, at_s)

    def after(self, evaluation: Evaluation, statistic: str | None, row: int, feature: int | None) -> "Size":
        """Return the size as a later evaluation of the same window shows it; feature None: the whole."""
        end_s = evaluation.window.end_s
        value, threshold = _numbers(evaluation, statistic, row, feature)
        is_known = value is not None and math.isfinite(value)
        if not is_known or value is None or evaluation.dataset_state[row] == State.INSUFFICIENT:
            return Size(self.value, self.threshold, self.peak, end_s)
        peak = value if self.peak is None or not math.isfinite(self.peak) else max(self.peak, value)
        return Size(value, threshold, peak, end_s)


def _numbers(
    evaluation: Evaluation, statistic: str | None, row: int, feature: int | None
) -> tuple[float | None, float | None]:
    if statistic is None:
        return None, None
    if feature is None:
        return float(evaluation.drifted_ratio[row]), None
    found = evaluation.statistics[statistic]
    return float(found.value[row, feature]), float(found.threshold[row, feature])


NO_SIZE = Size(None, None, None, -math.inf)
