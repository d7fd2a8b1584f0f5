"""Small real things to test with: baselines from rows, events, records, pipelines."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.assembly import catalog_of
from detector.baseline import Baseline, Provenance
from detector.baseline.build import BuildOptions, build_baseline
from detector.batch import ModelKey, Partition, Records
from detector.drift.policy import DecisionPolicy
from detector.formats import Decoder, EventOptions, formats
from detector.pipeline import Outcome, Pipeline
from detector.runs import AlertPolicy
from detector.tables import find_files, read_chunks
from detector.times import format_time
from detector.watched import Monitored
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec

KEY = ModelKey("credit", "1")
START_S = 1_790_000_000.0 - 1_790_000_000.0 % 3600
"""A full hour in September 2026."""

SPEC = WindowSpec(pane_s=60, lengths_s=(300,), lateness_s=0)

PROVENANCE = Provenance((), "0" * 64, 0, "2026-11-23T00:00:00Z", "test", 0)


def baseline_of(rows: Sequence[Mapping[str, Any]], **options: Any) -> Baseline:
    """Build a baseline from rows, as `baseline build` would from a JSON Lines file of them."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "train.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        files = find_files([str(path)])
        return build_baseline(
            lambda: read_chunks(files),
            BuildOptions(**{"model": KEY.model, "version": KEY.version} | options),
            PROVENANCE,
            lambda _: None,
        )


def training_rows(rng: np.random.Generator, n: int) -> list[dict[str, Any]]:
    """n rows of a number, a whole number, a text and a boolean."""
    return [
        {"amount": a, "age": k, "country": c, "member": m}
        for a, k, c, m in zip(
            rng.lognormal(3, 1, n).round(2).tolist(),
            rng.integers(18, 90, n).tolist(),
            rng.choice(["DE", "FR", "IT"], n, p=[0.5, 0.3, 0.2]).tolist(),
            (rng.random(n) < 0.3).tolist(),
            strict=True,
        )
    ]


def event(
    features: Mapping[str, Any], time_s: float | None = START_S, key: ModelKey = KEY, **more: Any
) -> bytes:
    """One event as it lies on the topic."""
    document: dict[str, Any] = {"model": key.model, "version": key.version, "features": features, **more}
    if time_s is not None:
        document["timestamp"] = format_time(time_s)
    return json.dumps(document).encode()


def records(values: Sequence[bytes | None], partition: Sequence[int] | None = None, n: int = 1) -> Records:
    """Records over `n` partitions; offsets count from 0 in each."""
    numbers = np.zeros(len(values), np.int64) if partition is None else np.array(partition, np.int64)
    offsets = np.zeros(len(values), np.int64)
    for p in range(n):
        here = numbers == p
        offsets[here] = np.arange(here.sum())
    return Records(
        list(values),
        numbers,
        offsets,
        np.full(len(values), -1, np.int64),
        tuple(Partition("events", p) for p in range(n)),
    )


def decoder_of(models: Mapping[ModelKey, Monitored], options: EventOptions | None = None) -> Decoder:
    """A JSON decoder for watched models."""
    return formats.get("json")(options or EventOptions(), catalog_of(models))


class Rig:
    """A decoder and a pipeline over one baseline, fed with payloads."""

    def __init__(
        self,
        baseline: Baseline,
        spec: WindowSpec = SPEC,
        policy: DecisionPolicy | None = None,
        slices: Slices | None = None,
        alerts: AlertPolicy | None = None,
    ) -> None:
        self.models = {
            KEY: Monitored(baseline, policy or DecisionPolicy(min_samples=100), slices or Slices())
        }
        self.decoder = decoder_of(self.models)
        self.pipeline = Pipeline(spec, self.models, alerts)
        self.outcomes: list[Outcome] = []

    def feed(
        self, values: Sequence[bytes | None], partition: Sequence[int] | None = None, n: int = 1,
        now_s: float = START_S + 1e6,
    ) -> list[Outcome]:  # fmt: skip
        """Feed payloads; return what closed."""
        return self._take(self.pipeline.feed(self.decoder.decode(records(values, partition, n)), now_s))

    def finish(self) -> list[Outcome]:
        """Close what is open; return what closed."""
        return self._take(self.pipeline.finish())

    def _take(self, outcomes: Any) -> list[Outcome]:
        found = list(outcomes)
        self.outcomes += found
        return found
