"""A damaged cut is never taken for a whole one, whatever the damage."""

import numpy as np
import pytest

from detector.errors import StateError
from detector.state import decode
from detector.state.encoding import HEAD
from tests.faults.form import SEED, either
from tests.faults.seams import encoded
from tests.faults.world import DECODER, GOOD, Appended, drain, new_pipeline
from tests.support.factories import START_S, records

N_DAMAGED = either(2_000, 10_000)


@pytest.fixture(scope="module")
def whole():
    """The cut of a pipeline that has judged."""
    pipeline = new_pipeline(0)
    values = [Appended(GOOD, START_S + 5.0 * i).payload(0.1 * (i % 7), "ab"[i % 2]) for i in range(500)]
    drain(pipeline.feed(DECODER.decode(records(values)), START_S + 86400.0))
    return encoded(pipeline)


def test_no_damaged_cut_is_read(whole, tell):
    """Bits flipped, bytes put in, taken out, overwritten, pieces swapped, cut short: an error each time."""
    rng = np.random.default_rng(SEED)
    taken = 0
    for _ in range(N_DAMAGED):
        damaged = _damage(whole, rng)
        try:
            decode(damaged)
            taken += damaged != whole
        except StateError:
            pass
    tell(cuts=N_DAMAGED, bytes=len(whole), taken=taken)

    assert taken == 0


def test_a_cut_is_not_read_at_any_length_but_its_own(whole):
    """Every length in the head and around its end, and one in every hundred of the rest."""
    for length in (*range(HEAD.size + 64), *range(HEAD.size, len(whole), 97), len(whole) - 1):
        with pytest.raises(StateError):
            decode(whole[:length])


def _damage(whole: bytes, rng: np.random.Generator) -> bytes:
    at, n = int(rng.integers(len(whole))), int(rng.integers(1, 200))
    noise = rng.bytes(n)
    match int(rng.integers(6)):
        case 0:
            return whole[:at] + bytes([whole[at] ^ (1 << int(rng.integers(8)))]) + whole[at + 1 :]
        case 1:
            return whole[:at] + noise + whole[at:]
        case 2:
            return whole[:at] + whole[at + n :]
        case 3:
            return whole[:at] + noise + whole[at + n :]
        case 4:
            return whole[at:] + whole[:at]
        case _:
            return whole[:at]
