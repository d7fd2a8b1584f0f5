"""What the demonstration found: each fault against the alerts, and the alarms that no fault explains."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from detector.alerts import Transition
from detector.demo.faults import Fault
from detector.times import format_duration, format_time

WIDTH = 100
"""Columns of a terminal that nothing here exceeds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, and the first alert on its feature while it lasted; None if it was missed."""

    fault: Fault
    alert: Transition | None

    @property
    def delay_s(self) -> float | None:
        """How long it took to find, in event time."""
        return None if self.alert is None else self.alert.starts_at_s - self.fault.start_s


@dataclass(frozen=True, slots=True)
class Findings:
    """All faults, the alerts that follow from one, and the rest."""

    findings: tuple[Finding, ...]
    consequences: tuple[Transition, ...]
    """Alerts on other features that a fault drags along, or on the model as a whole meanwhile."""
    false_alarms: tuple[Transition, ...]
    """Alerts that no fault explains."""


def match(alerts: Sequence[Transition], faults: Sequence[Fault]) -> Findings:
    """Hold the alerts that fired against the faults.

    An alert explains itself by a fault if it begins while windows can still hold what the fault did:
    between its start and its end plus the alert's window.
    """
    fired = [a for a in alerts if a.status == "firing"]
    found: list[Finding] = []
    explained: set[str] = set()
    consequences: list[Transition] = []
    for fault in faults:
        during = [a for a in fired if fault.start_s <= a.starts_at_s <= fault.end_s + a.window_s]
        own = [a for a in during if a.feature == fault.feature]
        found.append(Finding(fault, own[0] if own else None))
        dragged = [a for a in during if a.feature in fault.also or a.feature is None]
        consequences += [a for a in (*own[1:], *dragged) if a.id not in explained]
        explained |= {a.id for a in (*own, *dragged)}
    return Findings(tuple(found), tuple(consequences), tuple(a for a in fired if a.id not in explained))


def findings_text(findings: Findings, n_events: int, seconds: float, days: float) -> str:
    """Return the closing summary."""
    lines = [
        "",
        f"{n_events:,} events, {days:.0f} days of traffic, in {seconds:.1f} s",
        "",
        "faults injected:",
    ]
    for finding in findings.findings:
        fault, delay_s = finding.fault, finding.delay_s
        if finding.alert is None or delay_s is None:
            verdict = "MISSED"
        else:
            by = finding.alert.kind or finding.alert.statistic
            verdict = f"found after {delay_s / 3600:.0f} h by {by} of {fault.feature}"
        lines += [f"  {fault.start[:10]}  {fault.name}", f"              {verdict}"]
        if finding.alert is not None and finding.alert.message is not None:
            lines.append(_folded(" " * 14 + finding.alert.message, 14))
    if findings.consequences:
        lines += ["", "alerts that follow from a fault:"]
        lines += [alert_line(a) for a in findings.consequences]
    lines += ["", "alarms that no fault explains:"]
    lines += [alert_line(a) for a in findings.false_alarms] or ["  none"]
    n_found = sum(finding.alert is not None for finding in findings.findings)
    n = len(findings.findings)
    names = sorted({finding.fault.feature for finding in findings.findings})
    verdict = f"found {n_found}, missed {n - n_found}, false alarms {len(findings.false_alarms)}"
    lines += ["", f"drift injected {n} times in {len(names)} features: {verdict}"]
    return "\n".join(lines)


def alert_line(alert: Transition) -> str:
    """Return what happened to an alert, and what changed most; what is too long goes on below."""
    return _folded(_told(alert), 20)


def _folded(line: str, indent: int) -> str:
    return textwrap.fill(line, WIDTH, subsequent_indent=" " * indent)


def _told(alert: Transition) -> str:
    at_s = alert.starts_at_s if alert.ends_at_s is None else alert.ends_at_s
    what = alert.feature if alert.feature is not None else "the model as a whole"
    line = f"  {format_time(at_s)[:16].replace('T', ' ')}  {alert.status:<8}  {what:<20}  "
    if alert.status == "resolved":
        return line + f"after {format_duration(at_s - alert.starts_at_s)}"
    together = (
        f", {'in' if alert.feature is None else 'with'} {', '.join(alert.moved_with)}"
        if alert.moved_with
        else ""
    )
    if alert.message is not None:
        return line + f"{alert.kind} over {format_duration(alert.window_s)} ({alert.message}){together}"
    line += f"{alert.statistic} {alert.value or 0.0:.2f} over {format_duration(alert.window_s)}"
    changed = alert.contributors[:1]
    return line + "".join(f" ({c.bin}: {c.reference:.0%} -> {c.current:.0%})" for c in changed) + together
