"""What a replay would have alerted, for people: a line an alert, when it began, how long, and why."""

from dataclasses import dataclass, field

from detector.alerts import Transition
from detector.baseline.variation import DAY_S
from detector.report.text import cut
from detector.times import format_duration, format_time
from detector.windows.slices import ALL

MOST_TOLD = 100
"""Alerts that are told one by one; more are counted."""

WIDTH = 100


@dataclass
class AlertList:
    """The alerts of a replay in the order in which they began; at most `MOST_TOLD` are kept."""

    n: int = 0
    _began: dict[str, Transition] = field(default_factory=dict)
    _ended_s: dict[str, float] = field(default_factory=dict)

    def add(self, transition: Transition) -> None:
        """Take in what begins or ends."""
        if transition.status == "firing":
            self.n += 1
            if len(self._began) < MOST_TOLD:
                self._began[transition.id] = transition
        elif transition.id in self._began and transition.ends_at_s is not None:
            self._ended_s[transition.id] = transition.ends_at_s

    def lines(self) -> list[str]:
        """Return the summary, at most `WIDTH` columns wide."""
        if not self.n:
            return ["would not have alerted"]
        told = [cut(self._line(t), WIDTH) for t in self._began.values()]
        more = [f"  ... and {self.n - len(told):,} more"] if self.n > len(told) else []
        return [f"would have alerted {self.n:,} time{'' if self.n == 1 else 's'}:", *told, *more]

    def _line(self, t: Transition) -> str:
        name = "model as a whole" if t.feature is None else t.feature
        if t.slice != ALL:
            name += f" in {t.slice}"
        end_s = self._ended_s.get(t.id)
        lasted = "to the end" if end_s is None else f"for {_rough(end_s - t.starts_at_s)}"
        began = format_time(t.starts_at_s)[:16].replace("T", " ")
        return f"  {began}  {cut(name, 20):<20}  {lasted:<10}  {_why(t)}"


def _rough(seconds: float) -> str:
    return f"{seconds / DAY_S:.1f}d" if seconds >= 2 * DAY_S else format_duration(seconds)


def _why(t: Transition) -> str:
    if t.message is not None:
        return t.message
    said = t.statistic or "drift"
    if t.value is not None:
        said += f" {t.value:.2f}"
    said += f" over {format_duration(t.window_s)}"
    changed = t.contributors[:1]
    return said + "".join(f" ({c.bin}: {c.reference:.0%} -> {c.current:.0%})" for c in changed)
