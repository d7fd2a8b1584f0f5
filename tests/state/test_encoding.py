"""A cut is read back exactly, or not at all."""

import struct
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detector.batch import Partition
from detector.errors import StateError
from detector.state.encoding import Cut, Encoder, decode, head_of
from detector.tree import Frozen

ARRAYS = st.sampled_from([np.int64, np.int32, np.int8, np.float64, np.bool_]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary()
    | ARRAYS
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | inner.map(Frozen)
    ),
    max_leaves=15,
)


def bytes_of(cut, encoder=None):
    return b"".join((encoder or Encoder()).encode(cut))


def same(a, b):
    """Whether two trees hold the same, NaN like NaN."""
    if isinstance(a, Frozen):
        return same(a.value, b)
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.tobytes() == b.tobytes()
        )
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(TREES)
def test_what_goes_in_comes_out(tree):
    cut = Cut(tree, {Partition("t", 3): 17}, {"t": "id"}, None, "sha", 5, 12.5, 2)
    back = decode(bytes_of(cut))
    assert same(tree, back.tree)
    assert (back.positions, back.topic_ids, back.config_sha256, back.sequence, back.saved_s, back.term) == (
        cut.positions, cut.topic_ids, "sha", 5, 12.5, 2,
    )  # fmt: skip


def test_a_part_that_does_not_change_is_encoded_once():
    encoder, part = Encoder(), Frozen({"counts": np.arange(100_000)})
    first = encoder.encode(Cut({"a": part, "b": part}, {}))
    part.value = None  # were it looked at again, it would be missed
    assert encoder.encode(Cut({"a": part, "b": part}, {})) == first


def test_small_counts_take_little_room():
    """Counters are 64 bits wide in memory; most hold small numbers."""
    assert len(bytes_of(Cut(np.arange(10_000) % 200, {}))) < 10_300


@pytest.fixture(scope="module")
def small():
    return bytes_of(Cut({"n": [1, 2.5, Frozen({"x": np.arange(9)})]}, {Partition("t", 0): 7}, sequence=3))


def test_cut_short_at_any_byte_it_is_refused(small):
    for n in range(len(small)):
        with pytest.raises(StateError):
            decode(small[:n])
    with pytest.raises(StateError):
        decode(small + b"\0")


def test_ten_thousand_damaged_ones_are_refused(small):
    """Bits flipped, bytes replaced, parts moved: never is something else read than was written."""
    rng = np.random.default_rng(1)
    for _ in range(10_000):
        damaged = bytearray(small)
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(0, len(damaged)))
            match int(rng.integers(0, 3)):
                case 0:
                    damaged[at] ^= 1 << int(rng.integers(0, 8))
                case 1:
                    damaged[at:at] = rng.bytes(int(rng.integers(1, 9)))
                case _:
                    del damaged[at : at + int(rng.integers(1, 9))]
        if bytes(damaged) != small:
            with pytest.raises(StateError):
                decode(bytes(damaged))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_a_body_that_is_not_ours_is_refused_even_with_the_right_checksum(body):
    """Checksums are no secret: whoever made the file, reading it does no harm."""
    with pytest.raises(StateError):
        decode(head_of(body) + body)


def test_a_part_that_unfolds_to_more_than_it_says_is_refused():
    """A kilobyte that would become a gigabyte does not."""
    bomb = struct.pack("<Q", 100) + zlib.compress(bytes(50_000_000))
    body = msgspec.msgpack.encode({"tree": msgspec.msgpack.Ext(2, bomb)})
    with pytest.raises(StateError):
        decode(head_of(body) + body)
