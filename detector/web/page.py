"""The status page: what stands how, at a glance. Plain HTML, no script; drawn from a view alone."""

from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

import numpy as np

from detector.alerts import UNSURE, Transition
from detector.batch import ModelKey
from detector.drift.evaluation import State
from detector.metrics.labels import label
from detector.pipeline import Judged
from detector.printable import printable
from detector.times import format_duration, format_time
from detector.view import View

STYLE = (files("detector.web") / "style.css").read_text(encoding="utf-8")

REFRESH_S = 10

MAX_TEXT = 500

MAX_FEATURES = 300
"""Rows of the table; the features that changed most come first."""


def render_status(view: View) -> str:
    """Return the page as HTML."""
    body = [_alerts(view), *(_model(view, key) for key in view.baselines), _source(view), _config(view)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Drift detector</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}"><link rel="stylesheet" href="/style.css"></head>'
        f"<body><header><h1>Drift detector</h1></header><main>{''.join(body)}</main></body></html>"
    )


def _text(text: str) -> str:
    return escape(label(text))


def _alerts(view: View) -> str:
    if not view.firing:
        return '<section><h2>Alerts</h2><p class="ok">No alert is firing.</p></section>'
    items = "".join(f"<li>{_alert(t)}</li>" for t in view.firing)
    return f'<section><h2>Alerts</h2><ul class="alerts">{items}</ul></section>'


def _alert(t: Transition) -> str:
    what = t.feature if t.feature is not None else "the model as a whole"
    place = f"{t.key.model} {t.key.version}" + (f", {t.slice}" if t.slice != "all" else "")
    size = "".join(_size(t))
    numbers = "" if t.value is None else f": {t.statistic}{size}"
    changes = "".join(
        f"<li>{_text(c.bin)}: {c.reference:.1%} &rarr; {c.current:.1%}</li>" for c in t.contributors
    )
    if t.message is not None:
        numbers = f": {t.kind}, {printable(t.message, MAX_TEXT)}{size and ';'}{size}"
    together = "; in " if t.feature is None else "; with "
    together = together + ", ".join(label(name) for name in t.moved_with) if t.moved_with else ""
    began = "" if t.onset_s is None else f", the change {_how(t)}"
    note = f" <em>({UNSURE})</em>" if t.unsure else ""
    return (
        f"<strong>{_text(what)}</strong> of {_text(place)}, window {format_duration(t.window_s)}, "
        f"alert since {format_time(t.starts_at_s)}{began}"
        f"{escape(numbers + together)}{note}<ul>{changes}</ul>"
    )


def _how(t: Transition) -> str:
    """Say since when a change is there, and how it came where that is known."""
    since = f"since {format_time(t.onset_s or 0.0)}"
    return since if t.shape == "unknown" else f"{since}, {t.shape}"


def _size(t: Transition) -> Iterator[str]:
    """Say how large the change is now, and how large it was."""
    size = t.size
    if size.value is not None:
        yield f" now {size.value:.3g}"
        if size.threshold is not None:
            yield f" (threshold {size.threshold:.3g})"
    if size.peak is not None and size.value is not None and size.peak > size.value:
        yield f", at most {size.peak:.3g}"


def _model(view: View, key: ModelKey) -> str:
    windows = [judged for (owner, _), judged in sorted(view.judged.items(), key=_by_length) if owner == key]
    title = f"<h2>{_text(key.model)} <small>version {_text(key.version)}</small></h2>"
    known = view.knowledge.get(key)
    title += "" if known is None else f"<p>{escape(known.text)}</p>"
    if not windows:
        n = view.counters.accepted[key]
        return f"<section>{title}<p>{n:,} events so far; no window is complete yet.</p></section>"
    tables = "".join(_table(windows, row) for row in range(len(windows[0].evaluation.slices)))
    return f"<section>{title}{tables}</section>"


def _by_length(item: tuple[tuple[ModelKey, float], Judged]) -> float:
    return item[0][1]


def _table(windows: list[Judged], row: int) -> str:
    first = windows[0].evaluation
    heads = "".join(
        f'<th scope="col">{format_duration(j.evaluation.window.length_s)}<br>'
        f"<small>{int(j.evaluation.n[row]):,} events</small></th>"
        for j in windows
    )
    excess = np.max([j.evaluation.excess[:, row].max(axis=0, initial=0.0) for j in windows], axis=0)
    order = np.argsort(-excess, kind="stable").tolist()
    rows = "".join(_row(windows, row, f) for f in order[:MAX_FEATURES])
    left = len(order) - MAX_FEATURES
    more = f"<p>{left:,} features that changed less are not shown.</p>" if left > 0 else ""
    return (
        f'<div class="scroll"><table><caption>Slice {_text(first.slices[row])}, until '
        f'{format_time(first.window.end_s)}</caption><thead><tr><th scope="col">feature</th>{heads}'
        '<th scope="col">missing</th><th scope="col">unseen</th><th scope="col">outside</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{more}"
    )


def _row(windows: list[Judged], row: int, f: int) -> str:
    evaluation = windows[0].evaluation
    feature = evaluation.features.all[f]
    role = " <small>prediction</small>" if feature.role == "prediction" else ""
    rates = "".join(
        f"<td>{_share(float(evaluation.statistics[name].value[row, f]))}</td>"
        for name in ("missing", "unseen", "outside")
    )
    cells = "".join(_cell(judged, row, f) for judged in windows)
    return f'<tr><th scope="row">{_text(feature.name)}{role}</th>{cells}{rates}</tr>'


def _cell(judged: Judged, row: int, f: int) -> str:
    evaluation, state = judged.evaluation, State(int(judged.state[row, f]))
    worst = evaluation.worst_statistic(row, f)
    numbers = ""
    if worst is not None:
        found = evaluation.statistics[worst]
        numbers = f"<br><small>{worst} {found.value[row, f]:.3f} / {found.threshold[row, f]:.3f}</small>"
    name = evaluation.features.all[f].name
    kinds = [a.kind for a in judged.anomalies if a.feature == name] if row == 0 else []
    broken = "".join(f"<br><small>{kind}</small>" for kind in kinds)
    judged_at_all = any(np.isfinite(evaluation.statistics[s].threshold[row, f]) for s in evaluation.worst)
    said = state.label if judged_at_all or state != State.OK else "not judged"
    style = state.label if said == state.label else "insufficient"
    return f'<td class="{style}">{said}{numbers}{broken}</td>'


def _share(x: float) -> str:
    return f"{x:.1%}" if np.isfinite(x) else "&ndash;"


def _config(view: View) -> str:
    """Say what keeps the configuration file from being in force; nothing where it is."""
    config = view.config
    said = (
        [f'<p class="drift">Not reloaded: {escape(printable(config.error, MAX_TEXT))}</p>']
        if config.error
        else []
    )
    if config.after_restart:
        names = escape(", ".join(config.after_restart))
        said.append(f'<p class="warning">Takes effect after a restart: {names}</p>')
    return f"<section><h2>Configuration</h2>{''.join(said)}</section>" if said else ""


def _source(view: View) -> str:
    state, kind = ("connected", "ok") if view.source.connected else ("not connected", "drift")
    partitions = (
        (status.partition.topic, str(status.partition.number), _count(status.position), _count(status.lag))
        for status in view.source.partitions
    )
    rejected = sorted(view.counters.rejected.items())
    reasons = ((topic, reason, _count(n)) for (topic, reason), n in rejected)
    watermark = format_time(view.watermark_s) if np.isfinite(view.watermark_s) else "none yet"
    return (
        f'<section><h2>Source</h2><p class="{kind}">{state}, event time '
        f"{watermark}</p>{_list('Partitions', ('topic', 'partition', 'next offset', 'lag'), partitions)}"
        f"{_list('Rejected events', ('topic', 'reason', 'events'), reasons)}</section>"
    )


def _count(n: int | None) -> str:
    return "unknown" if n is None else f"{n:,}"


def _list(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    if not lines:
        return f"<p>{caption}: none.</p>"
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f'<div class="scroll"><table><caption>{caption}</caption><thead><tr>{columns}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )
