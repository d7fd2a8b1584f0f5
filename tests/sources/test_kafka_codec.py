"""Decompression with a limit: the same as the client's own, and never more than the limit."""

import contextlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import codec
from kafka.record.default_records import DefaultRecordBatch

from detector.sources.kafka_codec import BadCodecError, TooLargeError, decompress

ENCODERS = {
    DefaultRecordBatch.CODEC_GZIP: codec.gzip_encode,
    DefaultRecordBatch.CODEC_SNAPPY: codec.snappy_encode,
    DefaultRecordBatch.CODEC_LZ4: codec.lz4_encode,
    DefaultRecordBatch.CODEC_ZSTD: codec.zstd_encode,
}
NUMBERS = sorted(ENCODERS)
LIMIT = 4 << 20


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=3000), st.integers(1, 900), st.sampled_from(NUMBERS))
def test_what_was_compressed_comes_out(data, times, number):
    """Each codec, small and over several pieces."""
    data *= times

    assert decompress(ENCODERS[number](data), number, LIMIT) == data


def test_snappy_without_blocks_is_read():
    """Other clients than Java's write one block."""
    data = b"abc" * 5000

    assert decompress(codec.snappy_encode(data, xerial_compatible=False), 2, LIMIT) == data


@pytest.mark.parametrize("number", NUMBERS)
def test_the_limit_is_kept_to_the_byte(number):
    """Exactly the limit passes, one byte more does not."""
    assert len(decompress(ENCODERS[number](bytes(LIMIT)), number, LIMIT)) == LIMIT
    with pytest.raises(TooLargeError):
        decompress(ENCODERS[number](bytes(LIMIT + 1)), number, LIMIT)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_bomb_takes_no_more_memory_than_the_limit(number):
    """150 MB of zeros in a small batch are not decompressed to see that they are too many."""
    bomb = ENCODERS[number](bytes(150 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            decompress(bomb, number, LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 3 * LIMIT + len(bomb)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200), st.integers(0, 7), st.booleans(), st.integers(0, 60))
def test_bytes_that_are_no_such_thing_are_refused_in_one_way(noise, number, is_cut, at):
    """Noise, a cut, a number that means nothing: one exception, never another."""
    encode = ENCODERS.get(number)
    data = encode(b"some text " * 50)[:at] if is_cut and encode is not None else noise
    with contextlib.suppress(BadCodecError, TooLargeError):
        decompress(data, number, LIMIT)
