"""When two cells are equal: types, tolerances, what is missing, and files of different kinds."""

import math
from datetime import date, timedelta

import numpy as np
import pytest

from detector.skew import JoinOptions, join_by_id
from detector.skew.hashing import hash_texts
from detector.tables import find_files, read_chunks
from tests.skew.data import typed, untyped


def skew_of(before, now, read=typed, other=None, **options):
    """Join one pair of cells; return its match, mismatch, reference_only, current_only."""
    rows = [[{"id": "a", "x": cell}, {"id": "b", "x": rest}] for cell, rest in (before, now)]
    (x,) = join_by_id(read(rows[0]), (other or read)(rows[1]), ["id"], JoinOptions(**options)).features
    return x.match, x.mismatch, x.reference_only, x.current_only


@pytest.mark.parametrize(
    ("before", "now", "mismatch"),
    [
        ((5, 1.5), (5.0, 1.5), 0),
        ((5, 6), (5.0, 6.5), 1),
        ((5.25, 1.0), (5.2500001, 1.0), 0),
        ((5.25, 1.0), (5.2501, 1.0), 1),
        ((-0.0, 1.0), (0.0, 1.0), 0),
        ((math.nan, 1.0), (math.nan, 1.0), 0),
        ((math.inf, 1.0), (math.inf, 1.0), 0),
        ((math.inf, 1.0), (-math.inf, 1.0), 1),
        ((math.inf, 1.0), (1e300, 1.0), 1),
        ((math.nan, 1.0), (1.0, 1.0), 1),
        ((10_000_000, 1), (10_000_001, 1), 1),
        ((10_000_000.0, 1.5), (10_000_001.0, 1.5), 0),
        ((10**400, 1), (10**400, 1), 0),
        ((True, False), (True, False), 0),
        ((True, False), (False, False), 1),
        ((True, False), (1, 0), 2),
        ((5, 1), ("5", "1"), 2),
        ((5, "a"), ("5", "a"), 1),
        (("007", "a"), ("7", "a"), 1),
        (("true", "a"), ("True", "a"), 1),
        (("", "a"), ("", "a"), 0),
        (("NA", "a"), ("NA", "a"), 0),
        (([1], "a"), ([1], "a"), 0),
        (([1], "a"), ("[1]", "a"), 1),
    ],
)
def test_typed_cells(before, now, mismatch):
    """Numbers compare as numbers, texts exactly, and different types differ."""
    assert skew_of(before, now) == (2 - mismatch, mismatch, 0, 0)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (("5", "1"), ("5.0", "1"), (2, 0, 0, 0)),
        (("007", "a"), ("7", "a"), (2, 0, 0, 0)),
        (("5", "a"), ("5.1", "a"), (1, 1, 0, 0)),
        (("5", "a"), ("five", "a"), (1, 1, 0, 0)),
        (("true", "false"), ("True", "FALSE"), (2, 0, 0, 0)),
        (("nan", "1"), ("NaN", "1"), (2, 0, 0, 0)),
        (("NA", "1"), ("", "1"), (1, 0, 0, 0)),
        (("NA", "FR"), ("NA", "FR"), (2, 0, 0, 0)),
        (("NA", "FR"), ("", "FR"), (1, 0, 1, 0)),
        (("", "1"), ("3", "1"), (1, 0, 0, 1)),
        (("", ""), ("", ""), (0, 0, 0, 0)),
        (("", ""), ("1", "x"), (0, 0, 0, 2)),
    ],
)
def test_untyped_cells(before, now, expected):
    """Texts of a file without types are what they may be; the column says what is missing."""
    assert skew_of(before, now, untyped) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (("5", "6"), (5, 6.0), (2, 0, 0, 0)),
        (("12345", "6"), ("12345", "6"), (2, 0, 0, 0)),
        (("true", "false"), (True, True), (1, 1, 0, 0)),
        (("1", "0"), (True, False), (0, 2, 0, 0)),
        (("NA", "6"), (None, 6), (1, 0, 0, 0)),
        (("NA", "FR"), ("NA", "FR"), (2, 0, 0, 0)),
        (("", "FR"), (None, "FR"), (1, 0, 0, 0)),
    ],
)
def test_csv_against_json(before, now, expected):
    """A cell without a type takes that of its partner."""
    assert skew_of(before, now, untyped, typed) == expected


def test_tolerances_and_rounding():
    """Relative, absolute, rounded: each on its own."""
    before, now = (100.0, 0.5), (100.5, 0.5)
    assert skew_of(before, now)[1] == 1
    assert skew_of(before, now, relative_tolerance=0.01)[1] == 0
    assert skew_of(before, now, absolute_tolerance=0.5)[1] == 0
    assert skew_of((1.234, 0.5), (1.231, 0.5), round_digits=2)[1] == 0
    assert skew_of((1.234, 0.5), (1.231, 0.5), round_digits=3)[1] == 1
    assert skew_of((1000, 1), (1001, 1), relative_tolerance=0.01)[1] == 1, "whole numbers are exact"
    assert skew_of((1000, 1), (1001, 1), absolute_tolerance=1.0)[1] == 0


def test_hashes_of_texts_do_not_depend_on_the_texts_beside_them():
    """Long, short, empty and other alphabets; each hash is its own."""
    texts = ["", "a", "a\0", "aaaaaaaa", "aaaaaaaab", "é", "\ud800", "x" * 64, "x" * 65, "x" * 5000]
    together = hash_texts([*texts, *texts])
    assert together.tolist() == [hash_texts([text])[0] for text in texts] * 2
    assert len(set(together.tolist())) == len(texts)
    many = hash_texts([f"{i:x}" for i in range(200_000)])
    assert len(np.unique(many)) == 200_000
    # Even enough to divide the ids by, and to sample by.
    assert np.bincount((many % np.uint64(16)).astype(int)).min() > 12_000
    assert hash_texts(["k1"])[0] == 8839547600689818707, "the same on every machine"


def test_parquet_and_csv_join(tmp_path):
    """Typed and untyped files hold the same rows; one value differs."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    columns = {
        "id": [f"k{i}" for i in range(500)],
        "x": [None if i % 7 == 0 else i / 3 for i in range(500)],
        "n": list(range(500)),
        "zip": [f"{i:05d}" for i in range(500)],
        "ok": [i % 2 == 0 for i in range(500)],
        "day": [date(2026, 1, 1) + timedelta(days=i) for i in range(500)],
    }
    pq.write_table(pa.table(columns), tmp_path / "train.parquet", row_group_size=100)
    columns["n"] = [*range(499), -1]
    pc.write_csv(pa.table(columns), tmp_path / "serving.csv")
    files = [find_files([str(tmp_path / name)]) for name in ("train.parquet", "serving.csv")]
    readers = [lambda found=found: read_chunks(found, rows=64) for found in files]
    report = join_by_id(*readers, ["id"], JoinOptions(max_cells=2000))

    found = {f.name: (f.match, f.different) for f in report.features}
    assert found.pop("n") == (499, 1)
    assert found.pop("x") == (428, 0)
    assert set(found.values()) == {(500, 0)}
