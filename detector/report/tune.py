"""The advice of `tune` for people: at most 98 columns wide, the proposal at the end."""

import math
import textwrap
from collections.abc import Iterator

import numpy as np

from detector.drift.judge import GATES
from detector.report.text import cut
from detector.report.tune_yaml import proposal_yaml
from detector.times import format_duration, format_time
from detector.tune.advice import Advice, VersionAdvice, quantiles_of
from detector.tune.grid_book import Episode
from detector.tune.movement import ANY, NAMES
from detector.tune.rehearsal import GRID, NOW, Rehearsal, counts_by_subject, most_per_month, per_month

WIDTH = 98
NAME_WIDTH = 20
MOST_ROWS = 40
"""Features that a table shows; JSON has all."""
MOST_LISTED = 15
WINDOWS_A_TABLE = 3
LASTING, ALWAYS = "lasting", "nearly always"
LASTING_S = 3 * 86400.0
"""An episode of days is hardly chance."""


def advice_text(advice: Advice) -> str:
    """Return the whole advice as text."""
    lines: list[str] = []
    for version in advice.versions:
        lines += [*_head(version), "", *_windows(version), *map(_hint, advice.windows.hints)]
        lines += ["", *_movement(version), "", *_alarms(version), "", *_smallest(version)]
        lines += ["", *_healthy(version), "", *_doubts(version), ""]
    lines += ["PROPOSAL, to paste into the configuration", "", proposal_yaml(advice)]
    return "\n".join(lines)


def _hint(text: str) -> str:
    return textwrap.fill(f"  hint: {text}", WIDTH, subsequent_indent="  ")


def _head(version: VersionAdvice) -> Iterator[str]:
    found = version.after
    yield f"REHEARSAL of {cut(version.key.model, 40)}, version {cut(version.key.version, 20)}"
    excluded = found.n_excluded * found.spec.pane_s / 86400.0
    yield (
        f"{format_time(found.first_s)[:16]} to {format_time(found.last_s)[:16]} UTC, "
        f"{found.days:.1f} days counted" + (f", {excluded:.1f} left out as known drift" if excluded else "")
    )
    yield f"budget: {version.budget:g} false alarms in 30 days, over features, windows and slices together"


def _windows(version: VersionAdvice) -> Iterator[str]:
    needed = version.before.monitored.policy.min_samples
    yield f"1. Do windows hold enough events? min_samples is {needed:,}"
    yield f"  {'window':<10}{'5 % hold less':>15}{'half hold less':>16}{'with enough':>14}"
    for fill in version.fills:
        said = f"{fill.enough_share:.0%}" if fill.is_whole else "history is shorter"
        verdict = "" if fill.is_enough or not fill.is_whole else "   too few: not judged"
        held = f"{fill.few:>15,}{fill.usual:>16,}{said:>14}"
        yield f"  {format_duration(fill.length_s):<10}{held}{verdict}"


def _movement(version: VersionAdvice) -> Iterator[str]:
    found = version.after
    yield "2. How far do features move by themselves? On the scale of min_effect, noise taken off:"
    yield "   noise: of sampling alone; half, 95 %: so many windows stay below; most: the furthest"
    tables = [
        (length_s, t) for length_s, t in quantiles_of(found).items() if found.movement[length_s].n_windows
    ]
    if not tables:
        yield "  no window held enough events"
        return
    features = found.monitored.baseline.features
    reach = np.nanmax([table["most"][-1] for _, table in tables], axis=0)
    shown = np.argsort(-reach, kind="stable")[:MOST_ROWS].tolist()
    for i in range(0, len(tables), WINDOWS_A_TABLE):
        some = tables[i : i + WINDOWS_A_TABLE]
        yield (
            " " * (NAME_WIDTH + 2)
            + "".join(f"{format_duration(length_s):^26}" for length_s, _ in some).rstrip()
        )
        head = "".join(f"{name:>6}" for name in ("noise", "half", "95 %", "most"))
        yield f"  {'feature':<{NAME_WIDTH}}" + "  ".join(head for _ in some)
        for f in shown:
            # Noise of the distance that tells most of such a feature.
            k = GATES.index("kolmogorov_smirnov" if features.all[f].is_numeric else "l_infinity")
            cells = [
                "".join(_cell(x) for x in (t["noise"][k, f], *(t[w][-1, f] for w in ("half", "p95", "most"))))
                for _, t in some
            ]
            yield f"  {cut(features.names[f], NAME_WIDTH - 1):<{NAME_WIDTH}}" + "  ".join(cells)
    yield from _more(len(features) - len(shown), "that move less")


def _cell(x: float) -> str:
    return f"{'-' if math.isnan(x) else f'{x:.3f}'.replace('0.', '.', 1):>6}"


def _more(n: int, what: str) -> Iterator[str]:
    if n > 0:
        yield f"  ... and {n:,} features {what}: --format json has all"


def _alarms(version: VersionAdvice) -> Iterator[str]:
    found = version.after
    counts = counts_by_subject(found)
    names = found.monitored.baseline.features.names
    base = found.monitored.policy.min_effect
    yield f"3. What would have alarmed in {found.days:.1f} days, at each min_effect? (in force: {base:g})"
    yield f"  {'alarms of':<{NAME_WIDTH}}{'in force':>9}" + "".join(f"{x:>7g}" for x in GRID)
    loud = [f for f in np.argsort(-counts[:, :-1].sum(axis=0), kind="stable").tolist() if counts[:, f].any()]
    for f in loud[:MOST_ROWS]:
        yield _row(cut(names[f], NAME_WIDTH - 1), counts[:, f].tolist())
    yield from _more(len(loud) - MOST_ROWS, "with fewer alarms")
    if len(names) > len(loud):
        yield f"  {_of(len(names) - len(loud), 'feature')} without any"
    if counts[:, -1].any():
        yield _row("model as a whole", counts[:, -1].tolist())
    total = counts.sum(axis=1)
    yield _row("all", total.tolist())
    yield _row("in 30 days", [per_month(n, found.days) for n in total.tolist()], ".2f")
    yield _row(
        "at most (95 %)", np.asarray(most_per_month(total.astype(np.float64), found.days)).tolist(), ".2f"
    )
    if np.any(np.diff(total) > 0):
        yield "  fewer at a smaller min_effect: alarms run together, or features share the budget otherwise"
    if version.before is not found:
        was = int(version.before.book.counts[NOW].sum())
        yield f"  with the windows proposed below; those in force: {was:,} in {version.before.days:.1f} days"
    if found.schema_alerts:
        yield f"  besides {_of(found.schema_alerts, 'alert')} by the schema, which min_effect does not move"


def _row(name: str, values: list[float], spec: str = ",") -> str:
    cells = [f"{x:{spec}}" for x in values]
    return f"  {name:<{NAME_WIDTH}}{cells[0]:>9}" + "".join(f"{x:>7}" for x in cells[1:])


def _smallest(version: VersionAdvice) -> Iterator[str]:
    policy, features = version.after.monitored.policy, version.after.monitored.baseline.features
    yield "4. Which sudden change is still seen, with the settings proposed below? In standard deviations of"
    yield "   the training data (std), or as the share of all events whose value becomes another:"
    yield (
        f"  {'feature':<{NAME_WIDTH}}{'min_effect':>11}{'within 1h':>12}{'within 24h':>12}{'if it lasts':>13}"
    )
    judged = [f for f, name in enumerate(features.names) if not policy.of(name).ignore]
    reach = np.nan_to_num(version.smallest[2], nan=np.inf)
    order = sorted(judged, key=lambda f: (-reach[f], f))
    for f in order[:MOST_ROWS]:
        is_numeric = features.all[f].is_numeric
        cells = "".join(_size(float(x), is_numeric) for x in version.smallest[:, f])
        name = cut(features.names[f], NAME_WIDTH - 1)
        yield f"  {name:<{NAME_WIDTH}}{version.effect.levels[f]:>11g}{cells}".rstrip()
    yield from _more(len(order) - MOST_ROWS, "where less is seen")
    if len(judged) < len(features):
        yield f"  {_of(len(features) - len(judged), 'feature')} ignored by the configuration"
    if np.isnan(version.smallest[:, judged]).any():
        yield "  -: windows that hold enough events are longer, or hold too little of the change by then"


def _size(x: float, is_numeric: bool) -> str:
    text = "-" if math.isnan(x) else f"{x:.2f} std" if is_numeric else f"{x:.1%}"
    return f"{text:>12}"


def _of(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _healthy(version: VersionAdvice) -> Iterator[str]:
    found = version.after
    episodes = found.book.episodes[NOW]
    n = int(found.book.counts[NOW].sum())
    if not n:
        yield "5. Taken for healthy: nothing alarmed with the settings in force"
        return
    yield f"5. Taken for healthy: {_of(n, 'alarm')} with the settings in force. Were they false?"
    for episode in episodes[:MOST_LISTED]:
        yield _episode(found, episode)
    if n > MOST_LISTED:
        yield f"  ... and {n - MOST_LISTED:,} more: --format json has {len(episodes):,} of them"
    if any(_verdict(found, e) == ALWAYS for e in episodes):
        yield "  What alarms nearly always: is the baseline out of date there? Then build it anew."
    lasting = [e for e in episodes if _verdict(found, e) == LASTING]
    if lasting:
        yield "  What lasts is hardly false. What was real must not be tuned away: rehearse again with"
        for since, to in _joined([_days(found, e) for e in lasting])[:MOST_LISTED]:
            yield f"    --known-drift {format_time(since)[:10]}..{format_time(to)[:10]}"


def _episode(found: Rehearsal, episode: Episode) -> str:
    names = found.monitored.baseline.features.names
    name = names[episode.subject] if episode.subject < len(names) else "model as a whole"
    if episode.row:
        name = f"{name} in {found.monitored.slices.names[episode.row]}"
    lasted_s = found.lasted_s(episode)
    end = " to the end" if episode.end_s is None else ""
    lasted = (
        f"{lasted_s / 86400.0:.1f} days" if lasted_s >= LASTING_S else f"{lasted_s / 3600.0:.1f} h"
    ) + end
    moved = "" if math.isnan(episode.effect) else f"moved by {episode.effect:.2f}"
    moved = "above a fixed threshold" if math.isinf(episode.effect) else moved
    return (
        f"  {format_time(episode.start_s)[:16].replace('T', ' ')}  {cut(name, 24):<24}"
        f"{lasted:>21}  {moved:<14}  {_verdict(found, episode)}"
    ).rstrip()


def _verdict(found: Rehearsal, episode: Episode) -> str:
    lasted_s = found.lasted_s(episode)
    if lasted_s > (found.last_s - found.first_s) / 2.0:
        return ALWAYS
    return LASTING if lasted_s >= LASTING_S else ""


def _days(found: Rehearsal, episode: Episode) -> tuple[float, float]:
    """Return the time of an episode, and of the window that saw it begin."""
    return episode.start_s - min(episode.window_s, 86400.0), episode.start_s + found.lasted_s(episode)


def _joined(intervals: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join what overlaps."""
    joined: list[tuple[float, float]] = []
    for since, to in sorted(intervals):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(to, joined[-1][1]))
        else:
            joined.append((since, to))
    return joined


def _doubts(version: VersionAdvice) -> Iterator[str]:
    yield "6. What this cannot know"
    effect = version.effect
    said = [*version.doubts, "drift that crept in before the history began, and changes still to come"]
    if not effect.keeps_budget:
        said.append(
            f"what to set: no min_effect up to {GRID[-1]:g} keeps the budget, so none is changed below. What "
            "alarms even then is no swing: see to it (5), leave it out if it was real, and rehearse again"
        )
    if effect.lowest is not None:
        said.append(
            "whether smaller changes matter to you: "
            f"min_effect {effect.lowest:g} would have kept the budget as well"
        )
    for line in said:
        yield from textwrap.wrap(line, WIDTH, initial_indent="  - ", subsequent_indent="    ")


assert NAMES[-1] == ANY, "the furthest of all distances comes last"
