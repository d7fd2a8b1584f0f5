"""The search behind unreadable records: it loses no readable one and ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.sources.kafka_client import first_readable


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 1000), st.integers(1, 500), st.integers(0, 500))
def test_the_first_readable_offset_behind_a_bad_stretch_is_found(at, bad, behind):
    """Offsets at .. at + bad - 1 cannot be read, those behind can, `end` is behind the last."""
    end = at + bad + behind
    found, records = first_readable(at, end, lambda offset: offset if offset >= at + bad else None)

    assert found == at + bad
    assert records == found


def test_a_log_that_ends_with_what_cannot_be_read_is_left_at_its_end():
    """Nothing is read; what comes later will be."""
    assert first_readable(10, 25, lambda _: None) == (25, None)
