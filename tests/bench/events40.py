"""The benchmark's events: 30 numbers and 10 texts, about 900 bytes each."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from detector.baseline import Baseline
from detector.times import format_time
from tests.support.factories import KEY, START_S, baseline_of

NUMBERS = [f"number_{i:02d}" for i in range(30)]
TEXTS = [f"text_{i:02d}" for i in range(10)]
EVENTS_A_SECOND = 500.0
"""A busy model: windows of ten minutes hold 300,000 events."""


def rows(rng: np.random.Generator, n: int) -> Iterator[dict[str, Any]]:
    """n rows of features."""
    numbers = rng.normal(100, 15, (n, len(NUMBERS))).round(3).tolist()
    texts = rng.zipf(1.6, (n, len(TEXTS))).clip(max=200).tolist()
    for xs, ks in zip(numbers, texts, strict=True):
        yield dict(zip(NUMBERS, xs, strict=True)) | {t: f"v{k}" for t, k in zip(TEXTS, ks, strict=True)}


def payloads(rng: np.random.Generator, n: int) -> list[bytes]:
    """n events in the order of their time."""
    return [
        json.dumps(
            {
                "model": KEY.model,
                "version": KEY.version,
                "timestamp": format_time(START_S + i / EVENTS_A_SECOND),
                "features": features,
            }
        ).encode()
        for i, features in enumerate(rows(rng, n))
    ]


def baseline() -> Baseline:
    """A baseline of such events."""
    return baseline_of(list(rows(np.random.default_rng(1), 20_000)))
