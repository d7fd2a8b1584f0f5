"""Feature skew: TFDV's own answers, a naive join, and every way in which cells may differ."""

import base64
import json
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.columns import Chunk
from detector.errors import DataError
from detector.skew import JoinOptions, join_by_id
from detector.skew import match as match_module
from detector.skew import tally as tally_module
from detector.skew.hashing import combine, hash_texts
from detector.tables.object_column import ObjectColumn
from tests.skew.data import typed, untyped

GOLDEN = json.loads((Path(__file__).parent / "feature_skew.json").read_text())

algebra = settings(max_examples=80, deadline=None, derandomize=True, database=None)


def join(reference, current, columns=("id",), **options):
    return join_by_id(reference, current, columns, JoinOptions(**options))


# TFDV's own answers


@pytest.mark.parametrize("run", sorted(GOLDEN["runs"]))
@pytest.mark.parametrize("max_cells", [8, 1 << 25])
def test_counts_are_tfdvs_own(run, max_cells):
    """Each count of each feature, and of the ids; whatever the number of passes."""
    params, expected = GOLDEN["runs"][run]["params"], GOLDEN["runs"][run]
    options = {
        "allow_duplicates": params.get("allow_duplicate_identifiers", False),
        "round_digits": params.get("float_round_ndigits"),
    }
    report = join(typed(GOLDEN["base"]), typed(GOLDEN["test"]), max_cells=max_cells, **options)

    ours = {
        f.name: {
            "base_count": f.reference,
            "test_count": f.current,
            "match_count": f.match,
            "mismatch_count": f.mismatch,
            "base_only": f.reference_only,
            "test_only": f.current_only,
            "diff_count": f.different,
        }
        for f in report.features
    }
    theirs = {r.pop("feature_name"): _counts(r) for r in map(dict, expected["skew_results"])}
    assert {name: {k: n for k, n in found.items() if n} for name, found in ours.items()} == theirs
    ids = report.ids
    assert {
        "base_with_id_count": ids.reference_rows - ids.reference_without_id,
        "test_with_id_count": ids.current_rows - ids.current_without_id,
        "identifiers_count": ids.ids,
        "ids_missing_in_base_count": ids.missing_in_reference,
        "ids_missing_in_test_count": ids.missing_in_current,
        "matching_pairs_count": ids.pairs,
        "test_missing_id_count": ids.current_without_id,
        "duplicate_id_count": ids.duplicates,
    } == _counts(expected["match_stats"][0])
    assert ids.in_common == 9


def _counts(record):
    return {name: int(count) for name, count in record.items()}


@pytest.mark.parametrize("run", sorted(GOLDEN["runs"]))
def test_confusion_is_tfdvs_own_for_texts_that_differ(run):
    """TFDV counts the equal pairs too; ours are in `match`."""
    allow = GOLDEN["runs"][run]["params"].get("allow_duplicate_identifiers", False)
    report = join(typed(GOLDEN["base"]), typed(GOLDEN["test"]), allow_duplicates=allow, show_values=True)
    theirs = {
        (p["feature_name"], _text(p["base"]), _text(p["test"])): int(p["count"])
        for p in GOLDEN["runs"][run]["confusion_pairs"]
        if p["base"] != p["test"]
    }
    ours = {(f.name, c.reference, c.current): c.count for f in report.features for c in f.confusion}
    assert ours == theirs


def _text(value):
    return base64.b64decode(value["bytes_value"]).decode()


# A naive join as the oracle

CELLS = [
    None,
    "red",
    "green",
    "",
    5,
    5.0,
    6,
    5.0000001,
    5.1,
    "5",
    True,
    False,
    math.nan,
    math.inf,
    [1],
    "[1]",
]
KEYS = [None, "a", "b", "c", "d", 7, "7", 7.0, "e f"]


def _kind(cell):
    if isinstance(cell, str):
        # JSON has no other way to write these.
        return "number" if cell in ("nan", "inf") else "text"
    if isinstance(cell, bool):
        return "bool"
    return "number" if isinstance(cell, int | float) else "other"


def _same(a, b, tolerance):
    if _kind(a) != _kind(b):
        return False
    if _kind(a) != "number":
        return a == b
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance)


def _by_id(rows):
    found = defaultdict(list)
    for row in rows:
        if row.get("id") is not None:
            key = str(row["id"])
            found[key.removesuffix(".0")].append(row)
    return found


def _naive(reference, current, *, allow_duplicates, tolerance):
    before, now = _by_id(reference), _by_id(current)
    found = defaultdict(Counter)
    for key in before.keys() & now.keys():
        if allow_duplicates or len(before[key]) == len(now[key]) == 1:
            for a in before[key]:
                for b in now[key]:
                    _naive_pair(found, a, b, tolerance)
    return found


def _naive_pair(found, a, b, tolerance):
    for name in ("x", "y"):
        left, right = a.get(name), b.get(name)
        if left is None and right is None:
            continue
        if left is None or right is None:
            found[name]["current_only" if left is None else "reference_only"] += 1
        else:
            found[name]["match" if _same(left, right, tolerance) else "mismatch"] += 1


def _table(cells):
    row = st.fixed_dictionaries({"id": st.sampled_from(KEYS), "x": cells, "y": st.sampled_from(CELLS)})
    # One row of which nothing depends makes sure that there is something to compare.
    return st.lists(row, max_size=14).map(lambda rows: [*rows, {"id": "always", "x": 1, "y": "z"}])


TABLES = st.one_of(*(_table(st.sampled_from(cells)) for cells in (CELLS, [1, 2.5, None], ["r", "g"], [True])))


@algebra
@given(reference=TABLES, current=TABLES, allow=st.booleans(), max_cells=st.sampled_from([12, 40, 1 << 25]))
def test_equals_a_naive_join(reference, current, allow, max_cells):
    """Counts agree with a join of dicts, cell by cell."""
    options = {"allow_duplicates": allow, "max_cells": max_cells}
    report = join(typed(reference), typed(current), **options)
    expected = _naive(reference, current, allow_duplicates=allow, tolerance=1e-6)
    for f in report.features:
        found = {
            "match": f.match,
            "mismatch": f.mismatch,
            "reference_only": f.reference_only,
            "current_only": f.current_only,
        }
        assert {k: n for k, n in found.items() if n} == dict(expected[f.name]), f.name


@algebra
@given(seed=st.integers(0, 10_000), allow=st.booleans())
def test_the_result_does_not_depend_on_passes_chunks_or_blocks(seed, allow, monkeypatch_module):
    """Counts, samples, pairs and confusion are the same however the work is divided."""
    rng = np.random.default_rng(seed)
    sides = [
        [
            {"id": f"k{rng.integers(60)}", "x": float(rng.integers(3)), "c": "abc"[rng.integers(3)]}
            for _ in range(80)
        ]
        for _ in range(2)
    ]
    monkeypatch_module.setattr(match_module, "BLOCK", 1 << 17)
    whole = join(*map(typed, sides), allow_duplicates=allow, show_values=True, sample=5)
    monkeypatch_module.setattr(match_module, "BLOCK", 7)
    for max_cells, size in ((200, 80), (100, 7), (640, 3)):
        readers = [typed(rows, size) for rows in sides]
        options = {"allow_duplicates": allow, "show_values": True, "sample": 5, "max_cells": max_cells}
        found = join(*readers, **options)
        assert found.ids == whole.ids
        for f, g in zip(found.features, whole.features, strict=True):
            assert f == g


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


# Ids


def test_several_id_columns_make_one_id():
    """Order and borders of the columns matter; a row that lacks one of them has no id."""
    reference = [{"u": "a", "v": "bc", "x": 1}, {"u": "ab", "v": "c", "x": 2}, {"u": "a", "v": None, "x": 9}]
    current = [{"u": "ab", "v": "c", "x": 2}, {"u": "a", "v": "bc", "x": 3}, {"u": "bc", "v": "a", "x": 4}]
    report = join(typed(reference), typed(current), ("u", "v"))

    (x,) = report.features
    assert (x.match, x.mismatch) == (1, 1)
    assert [sample.id for sample in x.samples] == [("a", "bc")]
    assert report.ids.reference_without_id == 1
    assert (report.ids.in_common, report.ids.missing_in_reference, report.ids.ids) == (2, 1, 3)


def test_duplicates_are_skipped_and_counted():
    """Skipped, unless all their pairs are asked for."""
    reference = [{"id": "a", "x": 1}, {"id": "a", "x": 2}, {"id": "b", "x": 1}]
    current = [{"id": "a", "x": 1}, {"id": "a", "x": 1}, {"id": "a", "x": 3}, {"id": "b", "x": 1}]
    skipped = join(typed(reference), typed(current))
    assert (skipped.features[0].match, skipped.features[0].mismatch) == (1, 0)
    assert (skipped.ids.duplicates, skipped.ids.pairs, skipped.ids.pairs_compared) == (1, 7, 1)

    paired = join(typed(reference), typed(current), allow_duplicates=True)
    assert (paired.features[0].match, paired.features[0].mismatch) == (3, 4)
    assert [sample.id for sample in paired.features[0].samples] == [("a",)], "each id once"


def test_whole_numbers_written_as_floats_are_the_same_id():
    """A missing value turns a column of whole numbers into floats in many tools."""
    rows = [{"id": i, "x": i} for i in range(5)]
    floats = [{"id": float(i), "x": i} for i in range(5)]
    texts = [{"id": f"{i}.0", "x": str(i)} for i in range(5)]
    assert join(typed(rows), typed(floats)).features[0].match == 5
    assert join(typed(rows), untyped(texts)).features[0].match == 5
    with pytest.raises(DataError, match="no id in 'id' is on both sides"):
        join(typed([{"id": "v1.0", "x": 1}]), typed([{"id": "v1", "x": 1}]))


# Features


def test_columns_of_one_side_and_columns_left_out():
    """A feature that one side lacks is one-sided in every pair; an excluded one is not there."""
    reference = [{"id": i, "x": i, "old": "o", "at": 1} for i in range(6)]
    current = [{"id": i, "x": i, "new": i, "at": 2} for i in range(6)]
    report = join(typed(reference), typed(current), exclude=("at",))

    assert [f.name for f in report.features] == ["x", "old", "new"]
    assert [(f.reference_only, f.current_only) for f in report.features] == [(0, 0), (6, 0), (0, 6)]
    assert report.found_something


def test_full_events_join_flat_rows():
    """Tags and the time of an event are no features; a prediction is found under both its names."""
    rows = [{"event_id": "a", "x": 1, "score": 0.5}]
    columns = {
        "event_id": ["a"],
        "timestamp": ["2026"],
        "region": ["eu"],
        "x": [1],
        "prediction.score": [0.5],
    }
    roles = {
        "event_id": "id",
        "timestamp": "time",
        "region": "tag",
        "x": "feature",
        "prediction.score": "prediction",
    }

    def events():
        made = {name: ObjectColumn(cells) for name, cells in columns.items()}
        yield Chunk(1, made, "made", 1, roles)

    for sides in ((typed(rows), events), (events, typed(rows))):
        report = join(*sides, ("event_id",))
        assert [f.match for f in report.features] == [1, 1]
        assert not report.found_something


# What is told of differences


def test_samples_name_ids_and_no_values():
    """The ids with the smallest hashes; values only when asked for."""
    reference = [{"id": f"k{i}", "c": "red", "x": i} for i in range(100)]
    current = [{"id": f"k{i}", "c": "green" if i % 2 else "red", "x": -i} for i in range(100)]
    quiet = join(typed(reference), typed(current))
    c = quiet.features[0]
    wrong = np.array([f"k{i}" for i in range(1, 100, 2)])
    expected = wrong[np.argsort(hash_order(wrong))][:20].tolist()
    assert [sample.id[0] for sample in c.samples] == expected
    assert {(sample.reference, sample.current) for sample in c.samples} == {(None, None)}
    assert c.confusion == ()

    c, x = join(typed(reference), typed(current), show_values=True).features
    assert {(sample.reference, sample.current) for sample in c.samples} == {("red", "green")}
    assert [(pair.reference, pair.current, pair.count) for pair in c.confusion] == [("red", "green", 50)]
    assert all(sample.current == f"-{sample.reference}" for sample in x.samples)
    assert x.confusion == (), "numbers are not confused, they differ"


def hash_order(ids):
    return combine(np.zeros(len(ids), np.uint64), hash_texts(ids.tolist()))


def test_confusion_is_counted_exactly_or_says_so(monkeypatch):
    """Beyond the limit the pairs with the smallest hashes are kept, with exact counts."""
    monkeypatch.setattr(tally_module, "MAX_CONFUSION", 5)
    reference = [{"id": i, "c": f"v{i % 10}"} for i in range(200)]
    current = [{"id": i, "c": f"w{i % 10}"} for i in range(200)]
    for max_cells in (60, 1 << 25):
        (c,) = join(typed(reference), typed(current), show_values=True, max_cells=max_cells).features
        assert not c.confusion_is_complete
        assert [pair.count for pair in c.confusion] == [20] * 5
        assert all(pair.current == pair.reference.replace("v", "w") for pair in c.confusion)


# Errors


@pytest.mark.parametrize(
    ("reference", "current", "columns", "options", "message"),
    [
        ([], [{"id": 1}], ["id"], {}, "the reference data have no rows"),
        (
            [{"id": 1}],
            [{"key": 1}],
            ["id"],
            {},
            "no column 'id' to join by in the current data; there are key",
        ),
        ([{"key": 1}], [{"id": 1}], ["id"], {}, "no column 'id' to join by in the reference data"),
        (
            [{"id": 1, "x": 1}],
            [{"id": 2, "x": 1}],
            ["id"],
            {},
            "no id in 'id' is on both sides \\(1 different",
        ),
        ([{"id": None, "x": 1}], [{"id": 2, "x": 1}], ["id"], {}, "none of the 1 reference rows has an id"),
        ([{"id": 1}], [{"id": 1}], ["id"], {}, "no column besides the ids"),
        ([{"id": 1, "x": 1}] * 2, [{"id": 1, "x": 1}], ["id"], {}, "all 1 ids .* occur more than once"),
        ([{"id": 1, "x": 1}], [{"id": 1, "x": 1}], ["id"], {"exclude": ("z",)}, "no column 'z' to leave out"),
        ([{"id": 1, "x": 1}] * 99, [{"id": 1, "x": 1}], ["id"], {"max_cells": 9}, "name more id columns"),
    ],
)
def test_errors_say_what_to_do(reference, current, columns, options, message):
    """One line, no values of the data."""
    with pytest.raises(DataError, match=message) as caught:
        join(typed(reference), typed(current), columns, **options)
    assert "\n" not in str(caught.value)


def test_too_many_pairs_of_duplicates(monkeypatch):
    """A join that nobody meant ends before it begins."""
    monkeypatch.setattr("detector.skew.join.MAX_PAIRS", 99)
    rows = [{"id": "a", "x": 1}] * 10
    with pytest.raises(DataError, match="100 pairs of rows or more"):
        join(typed(rows), typed(rows), allow_duplicates=True)


def test_an_id_column_must_be_given():
    """A join without an id is a programming error."""
    with pytest.raises(ValueError, match="at least one id column"):
        join(typed([{"id": 1}]), typed([{"id": 1}]), ())
