"""What a detector has kept for its next start, as a record and for people: no value of the data in it."""

import hashlib
import textwrap
from collections.abc import Iterator

from detector.alerts import Transition, firing_in
from detector.batch import Ints, ModelKey
from detector.counters import Counters
from detector.report.records import Record, by_reason
from detector.report.text import cut
from detector.times import format_duration, format_time
from detector.tree import Tree, dict_of, float_of, int_of, ints_of, list_of, pair_of, texts_of

WIDTH = 80
"""Of all lines but those with a path, which can be copied whole."""

MAX_PATH = 1000
MAX_PARTITIONS = 30
MAX_ALERTS = 15
"""In the text; the record has all."""


def pipeline_record(tree: Tree) -> Record:
    """Return what a pipeline remembered.

    Raises:
        ValueError: the tree is nothing such.
    """
    read = dict_of(tree)
    pane_s, counters = float_of(read["pane_s"]), Counters.recall(read["counters"])
    closed_before = read["closed_before"]
    models = [dict_of(model) for model in list_of(read["models"])]
    return {
        "closed_until": None if closed_before is None else format_time(int_of(closed_before) * pane_s),
        "counters": _counters(counters),
        "models": [_model(model, pane_s, counters) for model in models],
        "alerts": [
            _alert(alert)
            for model in models
            for book in (model["alerts"], model["anomalies"])
            for alert in firing_in(book)
        ],
    }


def _counters(counters: Counters) -> Record:
    return {
        "consumed": sum(counters.consumed.values()),
        "accepted": sum(counters.accepted.values()),
        "rejected": by_reason(counters.rejected),
        "evaluations": sum(counters.evaluations.values()),
        "alerts_fired": sum(counters.alerts_fired.values()),
        "evaluation_digest": counters.evaluation_digest,
    }


def _model(model: dict[str, Tree], pane_s: float, counters: Counters) -> Record:
    name, version = texts_of(model["key"])
    windows = dict_of(dict_of(model["watched"])["windows"])
    return {
        "model": name,
        "version": version,
        "accepted": counters.accepted[ModelKey(name, version)],
        "windows_end": format_time(int_of(windows["end"]) * pane_s),
        "panes_open": len(list_of(windows["open"])),
        "panes": [_ring(*pair_of(ring), pane_s) for ring in list_of(windows["rings"])],
    }


def _ring(factor: Tree, panes: Tree, pane_s: float) -> Record:
    """Return how many panes of one length there are, their events and a digest of all their counts."""
    n_events, digest = 0, hashlib.blake2b(digest_size=16)
    pairs = [pair_of(item) for item in list_of(panes)]
    for index, profile in pairs:
        counts: Ints = ints_of(dict_of(profile)["counts"], (None, None))
        if not counts.size:
            raise ValueError("has a pane without counts")
        n_events += int(counts[0, -1])
        digest.update(f"{int_of(index)}|{counts.shape}|".encode() + counts.astype("<i8").tobytes())
    return {
        "pane_s": int_of(factor) * pane_s,
        "panes": len(pairs),
        "events": n_events,
        "counts_digest": digest.hexdigest(),
    }


def _alert(alert: Transition) -> Record:
    return {
        "alert": alert.alert,
        "model": alert.key.model,
        "version": alert.key.version,
        "feature": alert.feature,
        "slice": alert.slice,
        "since": format_time(alert.starts_at_s),
    }


def state_text(record: Record) -> str:
    """Return a record of a cut as text."""
    lines = [
        *_head(record),
        *(line for model in record["models"] for line in ("", *_model_lines(model))),
        *_alert_lines(record["alerts"]),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _head(record: Record) -> Iterator[str]:
    counters = record["counters"]
    for problem in record["problems"]:
        yield f"NOT USED   {cut(problem, MAX_PATH)}"
    yield f"file       {cut(record['path'], MAX_PATH)}"
    yield f"size       {record['bytes']:,} bytes"
    yield f"saved      {_second(record['saved_at'])}, sequence {record['sequence']:,}"
    yield f"config     {record['config_sha256'][:12] or '-'}"
    for at in record["positions"][:MAX_PARTITIONS]:
        yield f"position   {cut(at['topic'], 40)} {at['partition']}: {at['offset']:,}"
    yield from _more(len(record["positions"]), MAX_PARTITIONS, "partitions")
    yield f"events     {counters['consumed']:,} read, {counters['accepted']:,} accepted"
    rejected = ", ".join(f"{reason} {n:,}" for reason, n in counters["rejected"].items() if n)
    head = "rejected   "
    yield from textwrap.wrap(head + (rejected or "none"), WIDTH, subsequent_indent=" " * len(head))
    yield f"decided    {counters['evaluations']:,} evaluations, {counters['alerts_fired']:,} alerts"
    yield f"digest     {counters['evaluation_digest'] or '-'} of all evaluations"


def _model_lines(model: Record) -> Iterator[str]:
    yield f"{cut(model['model'], 40)} {cut(model['version'], 20)}: {model['accepted']:,} events"
    yield f"  windows end {_second(model['windows_end'])}, panes open beyond: {model['panes_open']}"
    yield f"  {'pane':<8}{'panes':>7}{'events':>14}  counts"
    for ring in model["panes"]:
        yield (
            f"  {format_duration(ring['pane_s']):<8}{ring['panes']:>7,}{ring['events']:>14,}"
            f"  {ring['counts_digest']}"
        )


def _alert_lines(alerts: list[Record]) -> Iterator[str]:
    yield ""
    if not alerts:
        yield "no alert fires"
        return
    yield f"alerts that fire: {len(alerts)}"
    for alert in alerts[:MAX_ALERTS]:
        what = "the model as a whole" if alert["feature"] is None else alert["feature"]
        what += f" in {alert['slice']}" if alert["slice"] != "all" else ""
        yield f"  {alert['alert']:<24}{_second(alert['since'])}  {cut(what, 30)}"
    yield from _more(len(alerts), MAX_ALERTS, "alerts")


def _more(total: int, shown: int, what: str) -> list[str]:
    return [f"  ... and {total - shown:,} more {what}"] if total > shown else []


def _second(time: str) -> str:
    return time[:19].replace("T", " ")
