"""Schemas for property tests: whatever the model can hold, and what TFDV has words for."""

from dataclasses import replace

from hypothesis import strategies as st

from detector.schema import (
    BoolDomain,
    FeatureSchema,
    Pattern,
    Presence,
    Range,
    RowLimits,
    Schema,
    Values,
)
from detector.schema.model import LIFECYCLES, ROLES, RULES

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "no",
        "1",
        "1e5",
        "~",
        "null",
        "true",
        "a: b",
        " x",
        "x ",
        "#",
        "- a",
        "<<",
        "'",
        '"',
        "\\",
        "\0",
        "\n",
        "é",
    ]
)
INTS = st.integers(-(1 << 63), (1 << 63) - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
THRESHOLDS = st.dictionaries(
    st.sampled_from(["l_infinity", "jensen_shannon", "normalized_absolute_difference"]), FLOATS
)
TEXT_VALUES = st.lists(TEXTS, max_size=5).map(lambda texts: Values(tuple(texts)))
INT_RANGES = st.builds(Range, st.none() | INTS, st.none() | INTS, st.just("int"))
FLOAT_RANGES = st.builds(Range, st.none() | FLOATS, st.none() | FLOATS, st.just("float"))
BOOLS = st.builds(BoolDomain, st.none() | TEXTS, st.none() | TEXTS)
ROWS = st.builds(RowLimits, st.none() | INTS, st.none() | INTS, st.none() | FLOATS, st.none() | FLOATS)
COMMON = {
    "presence": st.builds(Presence, FLOATS, INTS),
    "min_share": FLOATS,
    "unique_min": st.none() | INTS,
    "unique_max": st.none() | INTS,
    "one_value_a_row": st.booleans(),
    "in_environments": st.lists(TEXTS, max_size=2).map(tuple),
    "not_in_environments": st.lists(TEXTS, max_size=2).map(tuple),
    "lifecycle": st.sampled_from(LIFECYCLES),
    "drift": THRESHOLDS,
    "skew": THRESHOLDS,
}


@st.composite
def _of_tfdv(draw):
    """A feature that TFDV has words for."""
    feature = draw(
        st.builds(
            FeatureSchema,
            st.sampled_from(["string", "int", "float", None]),
            domain=st.none() | TEXT_VALUES | INT_RANGES | FLOAT_RANGES | BOOLS,
            **COMMON,
        )
    )
    domain, may_be_nan = feature.domain, feature.type in ("float", None)
    if isinstance(domain, BoolDomain) and feature.type in ("int", "float"):
        feature = replace(feature, domain=BoolDomain())
    elif domain is None and draw(st.booleans()):
        return replace(feature, domain_name=draw(TEXTS))
    # A ban of NaN has its place beside the range of floats.
    has_limits = domain not in (None, Range())
    if (domain is None and may_be_nan) or (
        isinstance(domain, Range) and domain.of == "float" and (has_limits or not may_be_nan)
    ):
        feature = replace(feature, allow_nan=draw(st.booleans()), allow_infinite=draw(st.booleans()))
    return feature


OF_TFDV = st.builds(
    Schema,
    st.dictionaries(TEXTS, _of_tfdv(), max_size=4),
    ROWS,
    st.lists(TEXTS, max_size=2).map(tuple),
    st.just("tfdv"),
)

PATTERNS = st.sampled_from([Pattern("[A-Z]{3}"), Pattern(""), Pattern(r"\d+\s*'\"#: "), Pattern("é|\n")])
INT_VALUES = st.lists(INTS, max_size=5).map(lambda ints: Values(tuple(ints)))
FEATURES = st.builds(
    FeatureSchema,
    st.sampled_from(["string", "int", "float", "bool", None]),
    domain=st.none() | TEXT_VALUES | INT_VALUES | INT_RANGES | FLOAT_RANGES | BOOLS | PATTERNS,
    allow_nan=st.booleans(),
    allow_infinite=st.booleans(),
    role=st.sampled_from(ROLES),
    proposed=st.frozensets(st.sampled_from(RULES)),
    note=st.none() | TEXTS,
    **COMMON,
) | st.builds(FeatureSchema, st.just("string"), domain_name=TEXTS)
SCHEMAS = st.builds(
    Schema,
    st.dictionaries(TEXTS, FEATURES, min_size=1, max_size=4),
    ROWS,
    st.lists(TEXTS, max_size=2).map(tuple),
    st.sampled_from(["own", "tfdv"]),
    st.just(()),
    st.none() | TEXTS,
)
