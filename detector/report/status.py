"""A running detector for people: what `status` prints of `/api/v1/status`, at most 80 columns wide."""

import math
import textwrap
from collections.abc import Iterator

from detector.report.records import Record
from detector.report.text import cut
from detector.times import format_duration, parse_rfc3339

WIDTH = 80

MAX_FEATURES = 15

MAX_ALERTS = 15


def status_text(now: Record, before: Record | None = None) -> str:
    """Return a status as text; with an earlier one of the same process also the events a second."""
    lines = [
        *_head(now, before),
        *(line for model in now["models"] for line in ("", *_model(model))),
        *_more(now["models_total"], len(now["models"]), "model versions"),
        *_features(now),
        *_alerts(now),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _head(now: Record, before: Record | None) -> Iterator[str]:
    source, config = now["source"], now["config"]
    ready = "ready" if now["ready"] else "NOT READY"
    connected = "connected" if source["connected"] else "NOT CONNECTED"
    if not now.get("active", True):
        ready += ", stands by: another replica judges"
    yield f"drift detector {now['version']}: {ready}, source {connected}, up {_rough(now['uptime_s'])}"
    loaded = "" if config["loaded_at"] is None else f", in force since {_minute(config['loaded_at'])}"
    yield f"config     {config['sha256'][:12] or '-'}{loaded}"
    if config["reload_error"]:
        yield from _wrapped("           ", f"NOT RELOADED: {config['reload_error']}")
    if config["after_restart"]:
        yield from _wrapped("           ", f"after a restart: {', '.join(config['after_restart'])}")
    for topic in source["topics"]:
        lag = "unknown" if topic["lag_records"] is None else f"{topic['lag_records']:,}"
        yield f"topic      {cut(topic['topic'], 40)}: partitions {topic['partitions']}, lag {lag}"
    if source["skipped"]:
        yield from _wrapped("skipped    ", _counts(source["skipped"]))
    rate = _rate(now, before)
    a_second = "" if rate is None else f", {rate:,.0f} a second"
    yield f"events     {now['events']['consumed']:,} read, {now['events']['accepted']:,} accepted{a_second}"
    rejected = {reason: n for reason, n in now["events"]["rejected"].items() if n}
    yield from _wrapped("rejected   ", _counts(rejected) or "none")
    if now["watermark"] is None or now["at"] is None:
        yield "watermark  none yet"
    else:
        age_s = parse_rfc3339(now["at"]) - parse_rfc3339(now["watermark"])
        yield f"watermark  {_minute(now['watermark'])}, {_rough(max(age_s, 0.0))} ago"


def _model(model: Record) -> Iterator[str]:
    yield f"{cut(model['model'], 40)} {cut(model['version'], 20)}"
    yield (
        f"  baseline {model['baseline_sha256'][:12] or '-'} of {_minute(model['baseline_built_at'])}, "
        f"{model['baseline_rows']:,} rows; {model['events_accepted']:,} events"
    )
    if not model["windows"]:
        yield "  no window closed yet"
        return
    yield f"  {'window':<8}{'state':<14}{'events':>12}{'drift':>9}{'warning':>9}{'ok':>7}  until"
    for w in model["windows"]:
        of = w["features"]
        yield (
            f"  {format_duration(w['window_s']):<8}{w['state']:<14}{w['n']:>12,}{of['drift']:>9,}"
            f"{of['warning']:>9,}{of['ok']:>7,}  {_minute(w['window_end'])}"
        )


def _features(now: Record) -> Iterator[str]:
    found = now["features"][:MAX_FEATURES]
    if not found:
        return
    several = len({(f["model"], f["version"]) for f in found}) > 1
    yield ""
    yield f"{'feature':<22}{'window':<8}{'statistic':<20}{'value':>8}{'limit':>8}  since"
    for f in found:
        mark = "* " if f["state"] == "drift" else "  "
        yield (
            f"{mark}{cut(f['feature'], 19):<20}{format_duration(f['window_s']):<8}"
            f"{cut(f['statistic'] or '-', 19):<20}{_number(f['value']):>8}{_number(f['threshold']):>8}  "
            f"{'-' if f['since'] is None else _short(f['since'])}"
        )
        notes = [f"{f['model']} {f['version']}"] if several else []
        notes += [f["slice"]] if f["slice"] != "all" else []
        notes += [f["cause"]] if f["cause"] else []
        if notes:
            yield f"    {cut(', '.join(notes), WIDTH - 4)}"
    yield from _more(now["features_total"], len(found), "features that are not ok")


def _alerts(now: Record) -> Iterator[str]:
    yield ""
    if not now["alerts_total"]:
        yield "no alert is firing"
        return
    yield f"alerts firing: {now['alerts_total']}"
    for alert in now["alerts"][:MAX_ALERTS]:
        what = alert["feature"] if alert["feature"] is not None else "the model as a whole"
        place = f"{alert['model']} {alert['version']}"
        place += f", {alert['slice']}" if alert["slice"] != "all" else ""
        yield f"  {alert['alert']:<24}{_short(alert['starts_at'])}  {cut(what, 36)}"
        why = [alert["kind"]] if alert["kind"] else []
        why += [f"{alert['statistic']} {_number(alert['value_now'])}"] if alert["statistic"] else []
        yield f"    {cut(', '.join([place, *why]), WIDTH - 4)}"
    yield from _more(now["alerts_total"], len(now["alerts"][:MAX_ALERTS]), "alerts")


def _rate(now: Record, before: Record | None) -> float | None:
    """Return the events read a second between two looks; None where there is nothing to compare."""
    if before is None:
        return None
    seconds = now["uptime_s"] - before["uptime_s"]
    n = now["events"]["consumed"] - before["events"]["consumed"]
    # Less than before: it is another process.
    return n / seconds if seconds > 0 and n >= 0 else None


def _more(total: int, shown: int, what: str) -> list[str]:
    return [f"  ... and {total - shown:,} more {what}"] if total > shown else []


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items())


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(head + text, WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False)


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _short(time: str) -> str:
    """Return a time without its year: `11-23 04:11`."""
    return _minute(time)[5:]


def _number(x: float | None) -> str:
    return "-" if x is None else f"{x:.3g}"


def _rough(seconds: float) -> str:
    """Return about how long it is: `2h 5m`."""
    for size, unit, part, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            rest = math.floor(seconds % size / part)
            return f"{math.floor(seconds / size):,}{unit}" + (f" {rest}{smaller}" if rest else "")
    return f"{seconds:.0f}s"
