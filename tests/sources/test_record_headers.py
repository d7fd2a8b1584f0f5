"""The headers of Kafka records: as they were sent, and no trouble where they are not as they should be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from detector.sources.kafka_records import RecordHeaders, records_of

HEADERS = st.lists(st.tuples(st.text(max_size=90), st.none() | st.binary(max_size=90)), max_size=5)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(HEADERS, min_size=1, max_size=4))
def test_headers_are_those_that_were_sent(sent):
    """By name; of several with one name the last, and none without a value. So the client has them."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    for i, headers in enumerate(sent):
        builder.append(i, 1_790_000_000_000, None, b"v", headers)
    built = bytes(builder.build())
    fast = RecordHeaders([record.headers for record in records_of(DefaultRecordBatch(built))[0]])
    slow = RecordHeaders([record.headers for record in DefaultRecordBatch(built)])
    expected = [{name: value for name, value in headers if value is not None} for headers in sent]

    assert [dict(h) for h in fast] == [dict(h) for h in slow] == expected
    assert [dict(h) for h in fast[1:]] == expected[1:]


@pytest.mark.parametrize("written", [b"", b"\x02", b"\x02\x7f", b"\xff" * 12, b"\x02\x02a\x7f", b"\x01"])
def test_what_is_no_header_is_left_out(written):
    """A batch is checked for its checksum; what a producer put there is not."""
    assert all(isinstance(value, bytes) for value in RecordHeaders([written])[0].values())
