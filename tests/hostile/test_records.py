"""A catalogue of hostile and broken records: what becomes of each, and that the next good one counts.

Each lies between good events, goes through decoder and pipeline, and ends in exactly one place: rejected
under one of the eight reasons, or counted, perhaps with single cells that are no value. The numbers are those
of the catalogue. What only a broker can send is tested with one (tests/sources): 29 header names that are not
UTF-8, 34 codecs that are not installed, 35 bombs of gzip or zstd, 36 wrong checksums, 37 batches beyond the
fetch size, 38 control batches.
"""

import json
import pickle
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pytest

from detector.assembly import catalog_of
from detector.batch import REJECT_REASONS, CellKind, ModelKey, Records
from detector.drift.policy import DecisionPolicy
from detector.formats import EventFields, EventOptions, formats
from detector.pipeline import Pipeline
from detector.times import format_time
from detector.watched import Monitored
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of, event, training_rows
from tests.support.factories import records as records_of

SPEC = WindowSpec(pane_s=60, lengths_s=(300,), lateness_s=60, max_future_s=300)
GOOD = {"amount": 20.0, "age": 40, "country": "DE", "member": True}
MISMATCH, NON_FINITE = CellKind.MISMATCH, CellKind.NON_FINITE


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 3000))


def told(features: str, head: str = f'"timestamp":"{format_time(START_S)}","model":"credit","version":"1"'):
    """An event whose features are written by hand."""
    return f'{{{head},"features":{{{features}}}}}'.encode()


def at(time: str):
    """A good event whose time is written by hand."""
    return told('"amount":20.0', f'"timestamp":{time},"model":"credit","version":"1"')


@dataclass(frozen=True)
class Fate:
    """What becomes of the hostile records of a case."""

    reject: str | None = None
    odd: dict[tuple[str, int], int] = field(default_factory=dict)
    """Cells that are no value: (feature, kind) -> how many."""
    missing: tuple[str, ...] = ()
    """Features that the events lack."""
    numbers: dict[str, float] = field(default_factory=dict)
    """Cells that have this value."""
    texts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    values: list[bytes | None]
    fate: Fate
    format: str = "json"
    options: EventOptions = field(default_factory=EventOptions)
    headers: dict[str, bytes] = field(default_factory=dict)
    time_ms: int = -1


def rejected(reason, *values, **more):
    return Case(list(values), Fate(reason), **more)


def odd(kind, feature, *written):
    return Case([told(f'"{feature}":{w}') for w in written], Fate(odd={(feature, kind): len(written)}))


def reads(feature, number, *written):
    return Case([told(f'"{feature}":{w}') for w in written], Fate(numbers={feature: number}))


def text(written, meant):
    return Case([told(f'"country":{written}')], Fate(texts={"country": meant}))


NINES = "9" * 5000
DEEP = "[" * 100_000 + "]" * 100_000
ENVELOPE = {"ce_type": b"x.inference.request", "ce_inferenceservicename": b"credit"}
KSERVE = json.dumps({"instances": [GOOD]}).encode()
STAMP_MS = round(START_S * 1000)


def logged(fate, headers, value=KSERVE, name="kserve", **options):
    return Case([value], fate, name, EventOptions(**options), headers, STAMP_MS)


CASES = {
    "1 empty": rejected("undecodable", b""),
    "2 tombstone": rejected("null_value", None),
    "3 no JSON": rejected("undecodable", b"\0\0\0\0\x01abc", b"hello", b"\x80\x04"),
    "4 cut": rejected("undecodable", *(event(GOOD)[:n] for n in (1, 10, 50, -1))),
    "5 no object": rejected(
        "not_an_object", b"1", b'"a"', b"[]", b"[{}]", b"null", b"true", told("")[:-3] + b"7}"
    ),
    "6 two documents": rejected("undecodable", event(GOOD) * 2, event(GOOD) + b"x", event(GOOD) + b"\0"),
    "7 other encodings": rejected(
        "undecodable",
        b"\xef\xbb\xbf" + event(GOOD),
        event(GOOD).decode().encode("utf-16"),
        told('"country":"x"').replace(b"x", b"\xff"),
    ),
    "7 noise in what nobody asks for": Case(
        [told('"amount":20.0,"other":"x"').replace(b"x", b"\xc3\x28")], Fate(numbers={"amount": 20.0})
    ),
    "8 lone surrogate": rejected(
        "undecodable", told('"country":"\\ud800"'), told('"country":"\\udfff x"'), told('"\\ud800":1')
    ),
    "9 deep": rejected(
        "undecodable", DEEP.encode(), b'{"a":' * 100_000, told(f'"x":{DEEP}'), told(f'"amount":{DEEP}')
    ),
    "10 keys twice": reads("amount", 7.0, '3,"amount":7'),
    "11 100,000 keys": Case(
        [told('"amount":20,' + ",".join(f'"k{i}":0' for i in range(80_000)))], Fate(numbers={"amount": 20.0})
    ),
    "12 10 MB": rejected("too_large", told('"country":"%s"' % ("x" * 10_000_000))),
    "13 1 MB category": text('"%s"' % ("x" * 1_000_000), "x" * 1_000_000),
    "14 not finite": Case(
        [told(f'"amount":{w}') for w in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400")],
        Fate(odd={("amount", NON_FINITE): 5}),
    ),
    "14 not finite, as text": odd(MISMATCH, "amount", '"NaN"', '"inf"', '"-Infinity"'),
    "15 negative zero": reads("amount", 0.0, "-0.0", "-0", "0", "-0e9"),
    "16 huge": reads("amount", 1e308, "1e308"),
    "16 huge, negative": reads("amount", -1e308, "-1e308"),
    "17 denormal": reads("amount", 5e-324, "5e-324"),
    "18 2^53 + 1": reads("age", 2.0**53, str(2**53 + 1)),
    "19 2^63": reads("age", 2.0**63, str(2**63), str(2**63 - 1)),
    "19 2^64": reads("age", 2.0**64, str(2**64)),
    "19 5,000 digits": odd(NON_FINITE, "age", NINES, "-" + NINES, "9" * 900_000),
    "19 5,000 digits, of no feature": Case(
        [told(f'"amount":20.0,"x":{NINES}')], Fate(numbers={"amount": 20.0})
    ),
    "20 truth": odd(MISMATCH, "amount", "true", "false"),
    "20 truth for a whole number": odd(MISMATCH, "age", "true", "false"),
    "21 number as text": odd(MISMATCH, "amount", '"1.5"', '""', '"0x1"'),
    "22 number for a category": odd(MISMATCH, "country", "1", "1.0", "true"),
    "22 number for a truth value": odd(MISMATCH, "member", "1", "0", '"true"'),
    "23 list or object": odd(MISMATCH, "amount", "[]", "[1]", "{}", '{"value":1}'),
    "23 list or object for a category": odd(MISMATCH, "country", '["DE"]', '{"DE":1}'),
    "24 null": Case([told('"amount":null,"country":null')], Fate(missing=("amount", "country"))),
    "24 missing": Case([told("")], Fate(missing=("amount", "age", "country", "member"))),
    "24 empty text": text('""', ""),
    "25 NUL": text('"\\u0000"', "\0"),
    "25 control characters": text('"\\n\\u001b[31m\\u202e\\u200b"', "\n\x1b[31m\u202e\u200b"),
    "25 combining": text('"e\\u0301"', "e\u0301"),
    "26 reserved names": Case(
        [told(f'"country":"{w}"') for w in ("__other__", "__null__", "le", "quantile", "None", "nan", "all")],
        Fate(texts={"country": None}),
    ),
    "27 names of code": Case(
        [
            told(f'"amount":20.0,"{w}":1')
            for w in ("__proto__", "__class__", "constructor", "$ref", "__init__")
        ],
        Fate(numbers={"amount": 20.0}),
    ),
    "27 category of code": text('"{{7*7}}${jndi:ldap://x}"', "{{7*7}}${jndi:ldap://x}"),
    "28 object for a dotted name": Case(
        [told('"amount":20.0,"a":{"b":1},"a.b":2')], Fate(numbers={"amount": 20.0})
    ),
    "30 10,000 headers": logged(Fate(), {**ENVELOPE, **{f"ce_h{i}": b"x" for i in range(10_000)}}),
    "30 1 MB header": logged(Fate(), {**ENVELOPE, "ce_other": b"x" * 1_000_000}),
    "31 4 kB model": logged(Fate("unknown_model"), {**ENVELOPE, "ce_inferenceservicename": b"c" * 4096}),
    "31 binary model": logged(Fate("unknown_model"), {**ENVELOPE, "ce_inferenceservicename": b"\xff\0\xfe"}),
    "31 4 kB model in the event": rejected("unknown_model", event(GOOD, key=ModelKey("c" * 4096, "1"))),
    "33 pickle": rejected(
        "undecodable", pickle.dumps(GOOD), pickle.dumps(GOOD, 0), b"!!python/object:os.system x"
    ),
    "39 record times that are none": Case([event(GOOD, None)], Fate("bad_timestamp"), time_ms=-1),
    "39 record time 0": Case([event(GOOD, None)], Fate("bad_timestamp"), time_ms=0),
    "39 record time negative": Case([event(GOOD, None)], Fate("bad_timestamp"), time_ms=-(2**63)),
    "39 record time 2^63 - 1": Case([event(GOOD, None)], Fate("future"), time_ms=2**63 - 1),
    "40 another time format": rejected(
        "bad_timestamp",
        *map(
            at,
            (
                "1790000000",
                "1790000000000",
                '"1790000000"',
                '"now"',
                '"2026-11-23T00:00:00"',
                "1e300",
                "true",
            ),
        ),
    ),
    "40 leap second": rejected("bad_timestamp", at('"2026-12-31T23:59:60Z"'), at('"2026-02-30T00:00:00Z"')),
    "40 year 9999 and 1": rejected(
        "bad_timestamp", at('"9999-12-31T23:59:59Z"'), at('"0001-01-01T00:00:00Z"')
    ),
    "41 a day ahead": rejected("future", event(GOOD, START_S + 86400)),
    "42 a year back": rejected("late", event(GOOD, START_S - 365 * 86400)),
    "43 edge of lateness": rejected("late", event(GOOD, START_S - 60.001)),
    "43 in time": Case(
        [event(GOOD, START_S - 60), event(GOOD, START_S - 0.001)], Fate(numbers={"amount": 20.0})
    ),
    "44 the same event 1,000 times": Case([event(GOOD)] * 1000, Fate(numbers={"amount": 20.0})),
    "45 another schema": Case(
        [told('"amount":"20 EUR","age":{"years":40},"land":"DE"')] * 2,
        Fate(odd={("amount", MISMATCH): 2, ("age", MISMATCH): 2}, missing=("country", "member")),
    ),
    "46 a new version each": rejected(
        "unknown_model", *(event(GOOD, key=ModelKey("credit", f"v{i}")) for i in range(5000))
    ),
    "46 a new model each": rejected(
        "unknown_model", *(event(GOOD, key=ModelKey(f"m{i}", "1")) for i in range(5000))
    ),
    "47 Confluent's wire format": rejected(
        "undecodable", b"\0\0\0\0\x07" + event(GOOD), b"\0\0\0\0\x07\x02\x06abc"
    ),
    "47 a schema that nobody knows": rejected("undecodable", b"\0\0\0\0\x07\x02\x06abc", format="avro"),
    "MessagePack: lengths that nothing is behind": rejected(
        "undecodable",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\x81\xa8features\xdf\xff\xff\xff\xff",
        format="msgpack",
    ),
    "MessagePack: deep": rejected("undecodable", b"\x91" * 500_000, b"\x81\xa1a" * 200_000, format="msgpack"),
}

NEEDS_A_BROKER = {29, 34, 35, 36, 37, 38}
NOT_READ = {32}
"""Keys of records: no field of `Records` holds them."""


def test_every_entry_of_the_catalogue_is_here():
    """Forty-seven, but for those that only a broker sends."""
    here = {int(name.split()[0]) for name in CASES if name[0].isdigit()}
    assert here | NEEDS_A_BROKER | NOT_READ == set(range(1, 48))
    assert not {name for name in Records.__dataclass_fields__ if "key" in name}


def _good(case):
    """An event in the format of a case."""
    if case.format == "msgpack":
        return msgspec.msgpack.encode(json.loads(event(GOOD)))
    return KSERVE if case.format == "kserve" else event(GOOD)


class _Run:
    """The records of a case between good ones, decoded and fed."""

    def __init__(self, case, baseline):
        models = {KEY: Monitored(baseline, DecisionPolicy(min_samples=100), Slices())}
        self.pipeline = Pipeline(SPEC, models)
        self.decoder = formats.get(case.format)(case.options, catalog_of(models))
        good = [] if case.format == "avro" else [_good(case)]
        values = [*good, *case.values, *good]
        made = records_of(values)
        times = [STAMP_MS, *([case.time_ms] * len(case.values)), STAMP_MS]
        headers = [ENVELOPE, *([case.headers] * len(case.values)), ENVELOPE]
        if not good:
            times, headers = times[1:-1], headers[1:-1]
        made.time_ms[:] = times
        with_headers = headers if case.format == "kserve" else ()
        self.records = Records(
            made.values, made.partition, made.offset, made.time_ms, made.partitions, with_headers
        )
        self.n_good = 2 * len(good)
        self.decoded = self.decoder.decode(self.records)
        list(self.pipeline.feed(self.decoded, START_S + 60))
        self.counters = self.pipeline.counters

    def cells(self):
        """Return the cells of the hostile events by feature: numbers and texts, and the odd ones counted."""
        names = self.pipeline.watched[KEY].monitored.baseline.features.names
        found, kinds = {name: [] for name in names}, Counter()
        for batch in self.decoded.batches:
            inner = (batch.rows > 0) & (batch.rows < len(self.records) - 1)
            columns = batch.columns.take(inner)
            for name, cells in zip(names, [*columns.numeric.tolist(), *columns.categorical], strict=True):
                found[name] += list(cells)
            kinds.update(
                (names[f], k)
                for f, k in zip(columns.odd.feature.tolist(), columns.odd.kind.tolist(), strict=True)
            )
        return found, kinds


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_becomes_of_it(case, baseline):
    """In exactly one place each, and the good events around are counted."""
    run, fate, n = _Run(case, baseline), case.fate, len(case.values)

    reasons = {reason: k for (_, reason), k in run.counters.rejected.items() if k}
    assert reasons == ({fate.reject: n} if fate.reject else {})
    assert set(reasons) <= set(REJECT_REASONS)
    assert run.counters.accepted[KEY] == run.n_good + (0 if fate.reject else n)
    assert run.counters.consumed.total() == n + run.n_good
    cells, kinds = run.cells()
    assert kinds == fate.odd
    for name in fate.missing:
        assert all(cell is None or cell != cell for cell in cells[name])
    for name, number in fate.numbers.items():
        assert cells[name] == [number] * n
    for name, meant in fate.texts.items():
        assert all(meant is None or cell == meant for cell in cells[name])
        assert all(isinstance(cell, str) for cell in cells[name])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_windows_stay_finite_and_labels_printable(case, baseline):
    """Closing the pane judges it: no infinity, no NaN where a number is, nothing from events in a name."""
    run = _Run(case, baseline)
    outcomes = list(run.pipeline.finish())
    if run.n_good:
        assert run.pipeline.counters.evaluations.total() == len(outcomes) > 0
    for judged in (judged for outcome in outcomes for judged in outcome.judged):
        profile = judged.evaluation.window.profile
        assert (profile.counts >= 0).all()
        assert np.isfinite(profile.sums).all()
        assert judged.evaluation.features.names == run.pipeline.watched[KEY].monitored.baseline.features.names


def test_the_watermark_stands_still_for_a_million_events_of_the_future(baseline):
    """They are turned away before they can close a window; one good event is enough to see it."""
    models = {KEY: Monitored(baseline, DecisionPolicy(), Slices())}
    pipeline, decoder = Pipeline(SPEC, models), formats.get("json")(EventOptions(), catalog_of(models))
    list(pipeline.feed(decoder.decode(records_of([event(GOOD)])), START_S))
    before = pipeline.watermark_s
    decoded = decoder.decode(records_of([event(GOOD, START_S + 1e9)] * 10_000))
    for _ in range(100):
        assert list(pipeline.feed(decoded, START_S)) == []

    assert pipeline.watermark_s == before
    assert pipeline.counters.rejected["events", "future"] == 1_000_000


def test_a_pane_is_half_open(baseline):
    """An event exactly on an edge belongs to the pane that begins there."""
    models = {KEY: Monitored(baseline, DecisionPolicy(), Slices())}
    pipeline, decoder = Pipeline(SPEC, models), formats.get("json")(EventOptions(), catalog_of(models))
    times = [START_S - 0.001, START_S, START_S + 59.999]
    list(pipeline.feed(decoder.decode(records_of([event(GOOD, time_s) for time_s in times])), START_S + 60))
    counted = {
        pane: int(pipeline.watched[KEY].windows.open_counts(pane)[-1]) for pane in pipeline._open_panes()
    }

    first = int(START_S // 60)
    assert counted == {first - 1: 1, first: 2}


def test_the_same_pointer_syntax_for_dots_and_slashes(baseline):
    """`/a/b` is b within a; a key with a slash is written `~1`: nothing is ambiguous."""
    fields = EventFields(features={"amount": "/a/b", "age": "/a~1b", "country": "/a.b", "member": "/m~0n"})
    models = {KEY: Monitored(baseline, DecisionPolicy(), Slices())}
    decoder = formats.get("json")(EventOptions(fields), catalog_of(models))
    value = told("", f'"timestamp":"{format_time(START_S)}","a":{{"b":1}},"a/b":2,"a.b":"x","m~n":true')
    columns = decoder.decode(records_of([value])).batches[0].columns

    assert columns.numeric[:, 0].tolist() == [1.0, 2.0]
    assert [cells[0] for cells in columns.categorical] == ["x", True]
