"""A first schema from data: what TFDV would infer, what is proposed beyond it, and what is no feature."""

import json
import math
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.schema import BoolDomain, FeatureSchema, Presence, Range, Values
from detector.schema.infer import MIXED, NO_TYPE, SERVING, TRAINING, InferOptions, infer_schema
from detector.schema.validate import Circumstances, expectations, validate
from detector.summary.collect import summarize
from tests.schema.looking import EMPTY
from tests.summary.summaries import summary_of
from tests.tables.reading import LAW, read


def _feature(cells, name="x", **options):
    data = summary_of({name: list(map(str, cells))}, strict=options.get("tfdv", False))
    return infer_schema(data, InferOptions(**options)).features[name]


def _tfdv(cells):
    return _feature(cells, tfdv=True)


TFDV = [
    pytest.param(["1", "2"], FeatureSchema("int", Presence(1.0, 1), one_value_a_row=True), id="ints"),
    pytest.param(["7", EMPTY], FeatureSchema("int", Presence(0.0, 1)), id="a gap: no least share"),
    pytest.param([EMPTY], FeatureSchema("string"), id="nothing: a text that need not be there"),
    pytest.param(["1.5", "nan"], FeatureSchema("float", Presence(1.0, 1), one_value_a_row=True), id="floats"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), TFDV)
def test_like_tfdv_nothing_is_proposed(cells, expected):
    """Type and presence; no range, no ban of NaN, no role."""
    assert _tfdv(cells) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0", "1"], BoolDomain()),
        (["1", "1"], BoolDomain()),
        (["0", "0"], None),
        (["0", "1", "2"], None),
        (["-1", "1"], None),
        (["TRUE", "FALSE"], BoolDomain("TRUE", "FALSE")),
        (["set", "clear"], BoolDomain("set", "clear")),
        (["true", "true"], BoolDomain("true", None)),
        (["true", "TRUE"], Values(("TRUE", "true"))),
        (["true", "yes"], Values(("true", "yes"))),
        (["b", "a", "b"], Values(("a", "b"))),
        (["1.5", "x"], Values(("1.5", "x"))),
    ],
)
def test_like_tfdv_bools_and_closed_sets(cells, expected):
    """Its words for true and false; else the values in order."""
    assert _tfdv(cells).domain == expected


@pytest.mark.parametrize(("n", "closed"), [(100, True), (101, False)])
def test_a_hundred_values_are_a_closed_set(n, closed):
    """One more is none, as in TFDV."""
    cells = [f"v{i % n}" for i in range(1000)]

    for feature in (_tfdv(cells), _feature(cells)):
        assert isinstance(feature.domain, Values) is closed


def test_texts_of_digits_are_numbers_in_disguise():
    """In JSON, where they are texts all the same: they must stay whole numbers."""
    content = "".join(json.dumps({"x": x}) + "\n" for x in ("07", "1", "-3")).encode()
    for tfdv in (False, True):
        data = summarize(lambda: read(content, "t.jsonl"), strict=tfdv)
        feature = infer_schema(data, InferOptions(tfdv=tfdv)).features["x"]
        assert (feature.type, feature.domain) == ("string", Range(of="int"))


def test_truth_values_are_bools_of_their_own():
    """TFDV has no such type."""
    assert _feature(["true", "False"]).type == "bool"
    assert _tfdv(["true", "False"]).type == "string"


def test_ranges_are_proposed_with_a_margin():
    """Half the width on either side, rounded outward; numbers that were never negative stay so."""
    feature = _feature(list(range(10, 21)))

    assert feature.domain == Range(5, 25, "int")
    assert feature.proposed == {"domain", "non_finite"}
    assert _feature(list(range(1, 11))).domain == Range(0, 15, "int")
    assert _feature(list(range(-11, 0))).domain == Range(-16, 0, "int")
    assert _feature(["10.5", "20.5"]).domain == Range(5.0, 26.0)
    assert _feature(["5", "6"]).domain == Range(4, 7, "int")


@pytest.mark.parametrize(
    ("cells", "domain"),
    [
        (["7"] * 9, Range(3, 11, "int")),
        (["0"] * 9, Range(0, 0, "int")),
        (["2.5"] * 9, Range(1.2, 3.8)),
    ],
)
def test_a_constant_may_grow_and_shrink_by_half(cells, domain):
    """And the note says that it was one."""
    feature = _feature(cells)

    assert feature.domain == domain
    assert feature.note.startswith("always ")


def test_a_long_tail_has_a_wider_margin(rng):
    """Twice as far as the extreme lies from the outermost percentile."""
    values = np.sort(rng.lognormal(0, 2, 5000))
    p99 = values[math.ceil(0.99 * 5000) - 1]
    domain = _feature(values.tolist()).domain

    assert domain.max >= values[-1] + 2.0 * (values[-1] - p99)
    assert domain.max < 4.0 * values[-1]
    assert domain.min == 0.0


@pytest.mark.parametrize(("least", "most", "expected"), [(0.001, 0.999, Range(0.0, 1.0)), (0.2, 0.8, None)])
def test_shares_stay_between_0_and_1(least, most, expected):
    """Numbers that come near to both ends and never leave."""
    domain = _feature(np.linspace(least, most, 101).tolist()).domain

    assert (domain == expected) is (expected is not None)
    assert domain.min >= 0.0


@pytest.mark.parametrize("missing", [1, 20, 50])
def test_where_values_are_missing_a_least_share_is_proposed(missing):
    """It leaves four standard errors and more, so that the same data do not break it."""
    n = 1000
    feature = _feature([EMPTY] * (missing * n // 100) + list(range(n - missing * n // 100)))
    share = 1.0 - missing / 100

    assert "presence" in feature.proposed
    assert share - 0.3 < feature.presence.min_fraction < share - 4 * math.sqrt(share * (1 - share) / n)


def test_new_data_of_the_same_kind_hardly_break_what_is_proposed(rng):
    """Of 300 fresh data sets each of 500 rows, none breaks presence, and at most 6 a range (2 %)."""

    def columns(n):
        some = np.where(rng.random(n) < 0.1, EMPTY, rng.normal(size=n).astype(str))
        return {
            "some": some.tolist(),
            "normal": rng.normal(size=n).astype(str).tolist(),
            "count": rng.poisson(4, n).astype(str).tolist(),
        }

    schema = infer_schema(summary_of(columns(2000)))
    broken = []
    for _ in range(300):
        data = summary_of(columns(500), expected=expectations(schema), quantiles=False)
        broken.append({a.kind for a in validate(schema, data)})

    assert not any("FEATURE_TYPE_LOW_FRACTION_PRESENT" in kinds for kinds in broken)
    assert sum(map(bool, broken)) <= 6


def test_whole_numbers_that_became_floats_for_gaps_are_ints():
    """As pandas writes them; a note says so. Without a gap, or with a fraction, they are floats."""
    feature = _feature(["1.0", "2.0", EMPTY, "9.0"])

    assert (feature.type, feature.domain) == ("int", Range(0, 13, "int"))
    assert "some are missing" in feature.note
    assert _feature(["1.0", "2.0"]).type == "float"
    assert _feature(["1.5", "2.0", EMPTY]).type == "float"
    assert _feature(["1", "nan", EMPTY]).type == "float"


def test_a_column_without_any_value_is_planned():
    """Nothing is checked, and the note says why; new values then break nothing."""
    feature = _feature([EMPTY] * 3)

    assert feature.lifecycle == "planned"
    assert "no value in 3 rows" in feature.note


def test_nan_and_infinities_are_allowed_only_where_training_has_them():
    """Each for itself; the ban is a proposal."""
    assert _allows(["1.5", "2.5"]) == (False, False)
    assert _allows(["1.5", "nan"]) == (True, False)
    assert _allows(["1.5", "-inf"]) == (False, True)
    assert "non_finite" not in _feature(["1.5", "inf", "nan"]).proposed


def _allows(cells):
    feature = _feature(cells)
    return feature.allow_nan, feature.allow_infinite


def test_cells_of_another_type_may_stay_as_many_as_they_are():
    """A numeric column with 5 of 1,000 odd cells: no less than 97 % need be numbers, and the note says so."""
    feature = _feature(["x"] * 5 + [i % 300 for i in range(995)])

    assert feature.type == "int"
    assert 0.97 < feature.min_share < 0.99
    assert "5 of 1,000 cells are of another type" in feature.note


def test_of_lists_and_objects_only_the_presence_is_checked():
    """They are of no type; a column that is gone is still found."""
    content = b'{"x": [1], "y": 1}\n{"x": {"a": 2}, "y": 2}\n'
    schema = infer_schema(summarize(lambda: read(content, "t.jsonl")))
    gone = summarize(lambda: read(b'{"y": 1}\n', "t.jsonl"), expectations(schema))

    assert schema.features["x"].note == NO_TYPE
    assert schema.features["x"].presence == Presence(1.0, 1)
    assert [a.kind for a in validate(schema, gone)] == ["SCHEMA_MISSING_COLUMN"]


def test_like_tfdv_nothing_is_checked_of_what_tfdv_cannot_read():
    """Several types in one column, or lists: in CSV there is no such thing."""
    content = b'{"x": [1], "y": "a"}\n{"x": [2], "y": 1}\n'
    data = summarize(lambda: read(content, "t.jsonl"), strict=True)
    schema = infer_schema(data, InferOptions(tfdv=True))
    again = summarize(lambda: read(content, "t.jsonl"), expectations(schema))

    assert [(f.lifecycle, f.note) for f in schema.features.values()] == [("planned", MIXED)] * 2
    assert validate(schema, again) == []


def test_a_label_belongs_to_training_only():
    """Serving data need not have it yet."""
    columns = {"x": ["1", "2"], "y": ["a", "b"]}
    schema = infer_schema(summary_of(columns), InferOptions(label="y", exclude=frozenset({"z"})))
    serving = summary_of({"x": ["1"]}, expected=expectations(schema))

    assert schema.environments == (TRAINING, SERVING)
    assert [a.feature for a in validate(schema, serving, Circumstances(TRAINING))] == ["y"]
    assert validate(schema, serving, Circumstances(SERVING)) == []


def test_excluded_columns_are_left_out():
    """And are then new in the data."""
    schema = infer_schema(summary_of({"x": ["1"], "y": ["2"]}), InferOptions(exclude=frozenset({"y"})))

    assert list(schema.features) == ["x"]


N = 400


def _role(cells, name="x"):
    return _feature(cells, name).role


def test_ids_are_told_apart(rng):
    """Texts that hardly come back, UUIDs, numbers called so, and row numbers."""
    keys = rng.permutation(10_000_000)[:N]

    assert _role([f"u{k:x}-{i}" for i, k in enumerate(keys)]) == "id"
    assert _role([uuid.UUID(int=int(k) << 90 | i) for i, k in enumerate(keys)]) == "id"
    assert _role(keys.tolist(), "customer_id") == "id"
    assert _role(keys.tolist(), "customerId") == "id"
    assert _role(range(N)) == "id"
    assert _role(range(1, N + 1)) == "id"
    assert _role([f"customer {k % 300}" for k in range(N)], "customer_id") == "id"


def test_free_text_is_told_apart(rng):
    """Several words on average, and most of them only once."""
    words = ["the", "parcel", "came", "late", "again", "thank", "you", "very", "much", "please"]

    assert _role([" ".join(rng.choice(words, 8)) for _ in range(N)]) == "free_text"


@pytest.mark.parametrize(
    "cells",
    [
        [f"2024-01-{1 + i % 28:02d}" for i in range(N)],
        [f"2024-01-01T{i % 24:02d}:00:00Z" for i in range(N)],
        [f"2024-01-01 {i % 24:02d}:{i % 60:02d}:00" for i in range(N)],
    ],
    ids=["dates", "RFC 3339", "with a blank"],
)
def test_points_in_time_are_told_apart(cells):
    """By their look, however many there are; one odd value, and they are texts."""
    assert _role(cells) == "timestamp"
    assert _role([*cells, "soon"]) != "timestamp"


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_seconds_since_1970_need_a_name_of_time(unit):
    """In seconds, milliseconds, microseconds or nanoseconds; money may look the same."""
    cells = [(1_700_000_000 + 7 * i) * unit for i in range(N)]

    assert _role(cells, "created_at") == "timestamp"
    assert _role(cells, "amount") == "feature"


def test_what_only_looks_like_an_id_is_a_feature(rng):
    """Amounts, zip codes, coordinates, categories of many values, ints of a wide range."""
    amounts = rng.lognormal(5, 2, N).round(2)
    zips = rng.integers(10_000, 99_999, N)

    assert _role(amounts.tolist(), "amount") == "feature"
    assert _role((amounts * 100).astype(int).tolist(), "amount_cents") == "feature"
    assert _role(zips.tolist(), "zip") == "feature"
    assert _role([f"Z{z % 250}" for z in range(4 * N)], "district") == "feature"
    assert _role([f"product {int(p)}" for p in rng.zipf(1.3, 4 * N) % 1000], "product") == "feature"
    assert _role([f"surname{i % (N * 9 // 10)}" for i in range(N)], "surname") == "feature"
    assert _role(rng.normal(50, 10, N).tolist(), "grid_id") == "feature"
    assert _role(rng.integers(1, 20, N).tolist(), "shop_id") == "feature"
    assert _role(rng.integers(0, 10**9, N).tolist(), "income") == "feature"


def test_few_rows_are_no_evidence():
    """Of forty rows every text is another one in many a column."""
    assert _role([f"name {i}" for i in range(40)], "name") == "feature"
    assert _role(range(40)) == "feature"
    assert _role([f"very long words of number {i}" for i in range(40)]) == "feature"


WORDS = ["1", "2", "-7", "0", "3.5", "1e3", "nan", "inf", EMPTY, "NA", "true", "false", "x", "y z", "9" * 400]
CELLS = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False).map(str),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)
COLUMNS = st.one_of(
    st.lists(CELLS, min_size=1, max_size=60),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).flatmap(
        lambda few: st.lists(st.sampled_from(few), min_size=1, max_size=300)
    ),
    st.lists(st.floats(allow_nan=False).map(str), min_size=1, max_size=60),
    st.lists(st.integers(-5, 5).map(lambda i: f"{i}.0") | st.just(EMPTY), min_size=1, max_size=60),
)


@LAW
@given(COLUMNS, st.booleans())
def test_training_data_satisfy_their_own_schema(cells, tfdv):
    """Whatever they hold, and however they are read."""
    columns = {"x": cells, "row": ["1.5"] * len(cells)}
    schema = infer_schema(summary_of(columns, strict=tfdv), InferOptions(tfdv=tfdv))
    data = summary_of(columns, rows=17, expected=expectations(schema), quantiles=False)

    assert validate(schema, data) == []


JSON_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.just({"a": 1}),
    st.sampled_from(["1", "true", "NaN", "2024-01-01"]),
)


@LAW
@given(st.lists(JSON_CELLS, min_size=1, max_size=40))
def test_training_data_of_json_satisfy_their_own_schema(cells):
    """With cells of every type in one column."""
    content = "".join(json.dumps({"x": cell, "row": 1.5}) + "\n" for cell in cells).encode()
    schema = infer_schema(summarize(lambda: read(content, "t.jsonl")))
    data = summarize(lambda: read(content, "t.jsonl", 7), expectations(schema), quantiles=False)

    assert validate(schema, data) == []
