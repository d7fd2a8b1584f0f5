"""A comparison as one self-contained HTML file: nothing is loaded from elsewhere, ever.

A table of all features to sort and search, and below it a fold for each with its two distributions, all
statistics and what changed most. Texts of the data appear as text only.
"""

import math
from html import escape
from importlib.resources import files

from detector.anomaly import Anomaly
from detector.drawing import figure
from detector.drift.evaluation import State
from detector.report.comparison import Comparison
from detector.report.summaries import value_text
from detector.report.text import cut
from detector.summary.model import QUANTILES, ColumnSummary

STYLE = (files("detector.drawing") / "style.css").read_text(encoding="utf-8")
SCRIPT = (files("detector.report") / "report.js").read_text(encoding="utf-8")

MAX_NAME = 120
MOST_ANOMALIES = 50

DASH = "\u2013"

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def comparison_html(found: Comparison) -> str:
    """Return the report."""
    order = found.by_change
    rows = "".join(_row(found, f) for f in order)
    folds = "".join(_fold(found, f) for f in order)
    heads = ("feature", "type", "state", "statistic", "value", "threshold", "missing before", "missing now")
    columns = "".join(f'<th scope="col"><button type="button">{head}</button></th>' for head in heads)
    rule = "drift" if found.found_something else "ok"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Drift report</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><header><h1>Drift report</h1>"
        f'<p class="lead {rule}">{escape(found.verdict)}</p>'
        f'<p class="muted">{_origin(found)}</p></header>'
        f"<main>{_anomalies(found)}{_not_compared(found)}"
        '<section><h2>Features</h2><label>Search <input id="search" type="search" '
        'placeholder="feature, type or state"></label>'
        '<div class="scroll tall" tabindex="0" role="region" aria-label="features">'
        f'<table id="features"><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody>'
        f"</table></div></section>{folds}</main><script>{SCRIPT}</script></body></html>"
    )


def _text(text: str, width: int = MAX_NAME) -> str:
    return escape(cut(text, width))


def _origin(found: Comparison) -> str:
    names = ", ".join(file.name for file in found.baseline.provenance.files[:3])
    source = f" ({_text(names)})" if names else ""
    return (
        f"reference {found.baseline.n_events:,} rows{source}, built "
        f"{_text(found.baseline.provenance.built_at)}; current {found.n_current:,} rows"
    )


def _anomalies(found: Comparison) -> str:
    if not found.anomalies:
        return ""
    shown = sorted(found.anomalies, key=lambda a: a.severity != "error")
    lines = "".join(_anomaly(a) for a in shown[:MOST_ANOMALIES])
    more = len(shown) - MOST_ANOMALIES
    rest = f"<p>and {more:,} more, each with its feature below</p>" if more > 0 else ""
    return f"<section><h2>Anomalies</h2><ul>{lines}</ul>{rest}</section>"


def _anomaly(a: Anomaly) -> str:
    subject = "" if a.feature is None else f"{_text(a.feature, 60)}: "
    return f"<li>{a.severity} {subject}<strong>{escape(a.kind)}</strong> {_text(a.long, 400)}</li>"


def _not_compared(found: Comparison) -> str:
    """Return the columns that are no features, with the reason."""
    apart = list(found.apart.items())[:MOST_ANOMALIES]
    lines = "".join(f"<li>{_text(name, 60)}: {_text(why)}</li>" for name, why in apart)
    return f"<section><h2>Not compared</h2><ul>{lines}</ul></section>" if lines else ""


def _number(x: float) -> str:
    return f"{x:.4g}" if math.isfinite(x) else "\u2013"


def _cell(text: str, sort: float | str, kind: str = "") -> str:
    key = escape(str(sort), quote=True)
    return f'<td data-sort="{key}"{f" class={kind}" if kind else ""}>{text}</td>'


def _badge(state: State) -> str:
    return f'<span class="badge {state.label}">{state.label}</span>'


def _table(inside: str) -> str:
    """Return a table that scrolls by itself where a screen is narrow."""
    return f'<div class="scroll" tabindex="0"><table>{inside}</table></div>'


def _row(found: Comparison, f: int) -> str:
    feature, state = found.baseline.features.all[f], found.state(f)
    worst = found.evaluation.worst_statistic(0, f)
    value = threshold = math.nan
    if worst is not None:
        statistic = found.evaluation.statistics[worst]
        value, threshold = float(statistic.value[0, f]), float(statistic.threshold[0, f])
    before, now = found.missing(f)
    name = _text(feature.name, 60)
    role = " <small>prediction</small>" if feature.role == "prediction" else ""
    cells = [
        _cell(f'<a href="#feature-{f}">{name}</a>{role}', cut(feature.name, 60).lower()),
        _cell(feature.type, feature.type),
        _cell(_badge(state), int(state)),
        _cell(worst or "\u2013", worst or ""),
        _cell(_number(value), value if math.isfinite(value) else -1.0),
        _cell(_number(threshold), threshold if math.isfinite(threshold) else -1.0),
        _cell(f"{before:.1%}", before),
        _cell(f"{now:.1%}", now),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _fold(found: Comparison, f: int) -> str:
    feature, state = found.baseline.features.all[f], found.state(f)
    is_open = " open" if state == State.DRIFT else ""
    drawn = figure(found.distribution(f), "density")
    return (
        f'<details id="feature-{f}"{is_open}><summary>{_text(feature.name)} '
        f"{_badge(state)}</summary>"
        f"{_cause(found, f)}{_broken(found, feature.name)}{drawn}{_contributors(found, f)}"
        f"{_summary(found, feature.name)}{_statistics(found, f)}</details>"
    )


def _cause(found: Comparison, f: int) -> str:
    """Return why a feature drifts, where it is known."""
    cause = found.cause(f)
    return "" if cause is None else f"<p><strong>{cause.name}</strong> {_text(cause.message, 400)}</p>"


def _broken(found: Comparison, name: str) -> str:
    """Return the anomalies of a feature."""
    lines = "".join(_anomaly(a) for a in found.anomalies if a.feature == name)
    return f"<ul>{lines}</ul>" if lines else ""


def _summary(found: Comparison, name: str) -> str:
    """Return the statistics of both sides beside each other."""
    sides = [found.training.get(name), found.current.columns.get(name)]
    records = [{} if side is None else _figures(side) for side in sides]
    rows = "".join(
        f'<tr><th scope="row">{escape(key)}</th>'
        + "".join(f"<td>{_text(record.get(key, DASH), 200)}</td>" for record in records)
        + "</tr>"
        for key in {**records[0], **records[1]}
    )
    return _table(
        '<thead><tr><th scope="col">statistics</th><th scope="col">reference</th>'
        f'<th scope="col">current</th></tr></thead><tbody>{rows}</tbody>'
    )


def _figures(column: ColumnSummary) -> dict[str, str]:
    """Return what is known of a column, in words."""
    figures = {"rows": f"{column.rows:,}", "missing": f"{column.missing:,}"}
    odd = (("another type", column.mismatches), ("not finite", column.nan + column.infinite))
    figures |= {name: f"{n:,}" for name, n in odd if n}
    if column.distinct is not None:
        figures["distinct"] = f"{'' if column.distinct_is_exact else 'about '}{column.distinct:,}"
    found = column.numeric
    if found is not None:
        figures |= {"mean": _number(found.mean), "standard deviation": _number(found.std)}
        figures |= {"least": _number(found.min), "greatest": _number(found.max)}
        figures |= {
            f"{q:.0%} lie at or below": _number(x) for q, x in zip(QUANTILES, found.quantiles, strict=False)
        }
        if found.zeros is not None:
            figures["zeros"] = f"{found.zeros:,}"
    if column.length_mean is not None:
        figures["length of the texts"] = f"{column.length_mean:.1f} on average, {column.length_max} at most"
    if column.values is not None and found is None:
        top = column.values.most_common(8)
        figures["most frequent"] = ", ".join(f"{cut(value_text(v), 30)} ({n:,})" for v, n in top)
    return figures


def _contributors(found: Comparison, f: int) -> str:
    lines = "".join(
        f"<tr><td>{_text(c.bin, 80)}</td><td>{c.reference:.2%}</td><td>{c.current:.2%}</td></tr>"
        for c in found.contributors(f)
    )
    if not lines:
        return "<p>No bin changed.</p>"
    return _table(
        '<thead><tr><th scope="col">what changed most</th><th scope="col">reference</th>'
        f'<th scope="col">current</th></tr></thead><tbody>{lines}</tbody>'
    )


def _statistics(found: Comparison, f: int) -> str:
    lines = []
    for name, statistic in found.evaluation.statistics.items():
        value = float(statistic.value[0, f])
        if math.isfinite(value):
            columns = (statistic.threshold, statistic.noise_floor, statistic.p_value)
            cells = "".join(f"<td>{_number(float(column[0, f]))}</td>" for column in columns)
            over = ' class="drift"' if value > float(statistic.threshold[0, f]) else ""
            lines.append(f'<tr><th scope="row">{name}</th><td{over}>{_number(value)}</td>{cells}</tr>')
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in ("statistic", "value", "threshold", "noise floor", "p-value")
    )
    return _table(f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody>")
