"""The tables as Markdown, to be pasted into docs/detection-bench.md."""

import numpy as np
from scipy.stats import chi2


def upper_bound(events, units):
    """Return the rate that `events` in `units` bound from above with 95 %, counted as Poisson."""
    return chi2.isf(0.05, 2 * (events + 1)) / 2 / units


def rate(events, units):
    """Return a rate with its bound, short."""
    return f"{number(events / units)} (≤ {number(upper_bound(events, units))})"


def number(x):
    """Return two digits that matter, and none behind the point from 10 on."""
    if not np.isfinite(x):
        return "–"
    return f"{x:,.0f}" if x >= 10 else f"{x:.1f}"


def hours(x):
    """Return hours, or minutes below one."""
    if not np.isfinite(x):
        return "–"
    return f"{x:.1f} h" if x >= 1 else f"{x * 60:.0f} min"


def table(head, rows):
    """Return a Markdown table; the first column is text."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def false_alarms(found):
    """The table of false alarms: found[world] is a list of tallies by rule, one a model."""
    worlds = list(found)
    rules = _rules(found[world][0] for world in worlds)
    rows = []
    for rule in rules:
        cells = []
        for world in worlds:
            tallies = [t[rule] for t in found[world] if rule in t]
            cells.append(rate(sum(t.alarms for t in tallies), len(tallies)) if tallies else "")
        rows.append([rule, *cells])
    return table(["alarms per model and 30 days (≤ 95 %)", *worlds], rows)


def whose(found):
    """Which statistics raised our own alarms, and in how many features, by world."""
    lines = []
    for world, tallies in found.items():
        own = [next(iter(t.values())) for t in tallies]
        by = {}
        for tally in own:
            for name, count in tally.by_statistic.items():
                by[name] = by.get(name, 0) + count
        text = ", ".join(f"{name} {count}" for name, count in sorted(by.items())) or "none"
        lines.append(f"- {world}: {text} (in {sum(t.features for t in own)} features)")
    return "\n".join(lines)


def time_raised(found):
    """Share of time that an alarm is on, feature by feature."""
    worlds = list(found)
    rows = []
    for rule in _rules(found[world][0] for world in worlds):
        cells = [
            f"{np.mean([t[rule].raised for t in found[w]]):.1%}" if rule in found[w][0] else ""
            for w in worlds
        ]
        rows.append([rule, *cells])
    return table(["share of time in alarm", *worlds], rows)


def power(found, limits):
    """The table of power in one world: found is a list of hours by change and rule, one a model.

    A cell is the share of features found in time, and the median delay of those found at all. Features in
    alarm before the change count as not found, for nobody could tell.
    """
    changes = list(found[0])
    rows = []
    for rule in _rules(found[0].values()):
        cells = []
        for change in changes:
            delay = np.concatenate([model[change][rule] for model in found])
            in_time = np.mean(np.nan_to_num(delay, nan=np.inf) <= limits[change])
            reached = delay[np.isfinite(delay)]
            median = hours(float(np.median(reached))) if len(reached) else "–"
            cells.append(f"{in_time:.0%}, {median}")
        rows.append([rule, *cells])
    return table(["found in time, median delay", *(f"{c} ({limits[c]:g} h)" for c in changes)], rows)


def _rules(dicts):
    names = {}
    for rules in dicts:
        names |= dict.fromkeys(rules)
    return list(names)
