"""How many distinct values there are, in bounded memory."""

import math

import numpy as np
import pytest

from detector.summary.distinct import DistinctSketch, K
from detector.summary.hashing import hash_numbers, hash_texts, value_hash

STANDARD_ERROR = 1.0 / math.sqrt(K - 2)


@pytest.mark.parametrize("n", [0, 1, K - 1])
def test_few_values_are_counted_exactly(n):
    """However often each of them comes."""
    sketch = DistinctSketch()
    for _ in range(3):
        sketch.add(hash_numbers(np.arange(n, dtype=float)))

    assert sketch.estimate() == n


@pytest.mark.parametrize("n", [K, 5_000, 100_000, 1_000_000])
def test_many_values_are_counted_to_a_few_percent(n, rng):
    """Within five standard errors, 11 %: one in a million samples would fail, and this one is fixed."""
    sketch = DistinctSketch()
    for part in np.array_split(rng.permutation(np.concatenate((np.arange(n), np.arange(n // 2)))), 7):
        sketch.add(hash_numbers(part.astype(float)))

    assert abs(sketch.estimate() / n - 1.0) < 5 * STANDARD_ERROR


def test_the_error_is_as_small_as_is_said():
    """Over 200 sets of values: no bias, and a standard error of 2.2 % (each to four of its own errors)."""
    errors = []
    for i in range(200):
        sketch = DistinctSketch()
        sketch.add(hash_numbers(np.arange(20_000, dtype=float) + 1e6 * i))
        errors.append(sketch.estimate() / 20_000 - 1.0)

    assert abs(np.mean(errors)) < 4 * STANDARD_ERROR / math.sqrt(200)
    assert np.std(errors) == pytest.approx(STANDARD_ERROR, rel=4 / math.sqrt(2 * 200))


def test_order_and_repetition_do_not_matter(rng):
    """The same values give the same estimate."""
    values = rng.normal(size=10_000)
    once, often = DistinctSketch(), DistinctSketch()
    once.add(hash_numbers(values))
    for part in np.array_split(np.tile(values[::-1], 3), 100):
        often.add(hash_numbers(part))

    assert once.estimate() == often.estimate()


def test_texts_are_spread_as_evenly_as_numbers():
    """A hundred thousand consecutive texts, within five standard errors."""
    sketch = DistinctSketch()
    sketch.add(hash_texts(f"customer-{i:08d}" for i in range(100_000)))

    assert abs(sketch.estimate() / 100_000 - 1.0) < 5 * STANDARD_ERROR


def test_hashes_are_the_same_everywhere():
    """In every process and on every machine; both zeros are one number, and half a character hashes too."""
    assert value_hash("a") == 0x2F42665B399EF840
    assert hash_numbers(np.array([0.0, 1.5])).tolist() == [0, 16657480027015623784]
    assert hash_texts(["a", "é"]).tolist() == [13040092938735705047, 8065354978049653902]
    assert hash_numbers(np.array([0.0])).tolist() == hash_numbers(np.array([-0.0])).tolist()
    assert value_hash("\ud800") != value_hash("\ud801")
