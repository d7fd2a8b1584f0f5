"""A process that holds all that a configuration can hold: `fill BASELINE VERSIONS SLICES`.

Prints the bound and the peak of its own memory, in bytes, as JSON. No broker: the source's buffers are left
out.
"""

import json
import sys
from itertools import product
from pathlib import Path

import numpy as np

import detector.cli.run
import detector.sources.kafka
import detector.web  # noqa: F401 - what the service has in memory
from detector.baseline import Baseline
from detector.batch import Columns, ModelKey
from detector.memory import Surroundings, memory_parts, memory_text, total
from detector.metrics import ExportPolicy, Metrics, check_series
from detector.pipeline import Pipeline
from detector.state import Cut
from detector.state.encoding import Encoder
from detector.store import read_baseline
from detector.view import SourceStatus, view_of
from detector.watched import Monitored, Watched
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import decoder_of, event, records

SPEC = WindowSpec()
N_EVENTS = 200
N_POLLED = 200
TODAY = 1_790_000_000 // 86400 * 1440
"""A pane at midnight."""
ACCEPTS = ("", "application/openmetrics-text; version=1.0.0")


def main(path: str, n_versions: str, n_slices: str) -> None:
    slices = Slices({"country": tuple(f"c{i}" for i in range(int(n_slices)))} if int(n_slices) else {})
    # Read again and again: no two versions share arrays.
    baselines = {ModelKey("m", str(i)): read_baseline(Path(path)) for i in range(int(n_versions))}
    models = {key: Monitored(baseline, slices=slices) for key, baseline in baselines.items()}
    policy = ExportPolicy(max_series=10_000_000)
    around = Surroundings(N_POLLED, 0, 0, check_series(models, SPEC, policy), 0)
    parts = memory_parts(SPEC, models, around)
    pipeline, encoder = Pipeline(SPEC, models), Encoder()
    blocks = [_columns(next(iter(baselines.values())), slices, seed) for seed in range(2)]
    for watched in pipeline.watched.values():
        _fill_windows(watched, blocks)
        _fill_learner(watched)
    pipeline._stand_at(TODAY * 60.0)
    _poll(pipeline, models)
    for i in range(pipeline.max_open_panes):
        for watched in pipeline.watched.values():
            watched.windows.add(blocks[i % 2], np.full(N_EVENTS, 60.0 * (TODAY + i)), TODAY)
    metrics = Metrics(policy)
    for revision in range(5):
        pipeline._close(TODAY + revision)
        metrics.publish(
            view_of(pipeline, baselines, SourceStatus(), revision=revision, last_evaluation_s=0.0, ready=True)
        )
        for accept, compress in product(ACCEPTS, (False, True)):
            metrics.page(accept, compress=compress)
        encoder.encode(Cut(pipeline.remember(), {}, sequence=revision))
    found = {"bound": total(parts), "peak": _peak_bytes(), "text": memory_text(parts)}
    print(json.dumps(found | {"firing": len(pipeline.firing)}))


def _columns(baseline: Baseline, slices: Slices, seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    n_numeric, texts = len(baseline.features.numeric), [f"c{i}" for i in range(10)]
    country = rng.choice(texts, N_EVENTS).tolist()
    numbers = rng.normal(size=(n_numeric, N_EVENTS))
    return Columns(N_EVENTS, numbers, (country,), slices=(country,) * len(slices.columns))


def _fill_windows(watched: Watched, blocks: list[Columns]) -> None:
    """Three days: every tenth minute is enough for all but the last hour."""
    panes = [*range(TODAY - 4320, TODAY - 60, 10), *range(TODAY - 60, TODAY)]
    for i, pane in enumerate(panes):
        watched.windows.add(blocks[i % 2], np.full(N_EVENTS, 60.0 * pane), None)
        watched.windows.close(pane)


def _fill_learner(watched: Watched) -> None:
    """28 days of slots, a measurement of them under way in which features are left out of half of them."""
    learner = watched.learner
    assert learner is not None
    rng, n = np.random.default_rng(5), len(watched.monitored.baseline.features)
    slot_s = learner._slots.slot_s
    end = int(TODAY * 60.0 // slot_s)
    for i in range(round(28 * 86400 / slot_s)):
        learner._slots.add(end - i, rng.integers(0, 300, watched.windows.layout.width))
        learner._suspect[end - i] = np.full(n, i % 3 == 0)
    learner._known_slots = 0
    learner._begin()
    learner._go_on()


def _poll(pipeline: Pipeline, models: dict[ModelKey, Monitored]) -> None:
    key, monitored = next(iter(models.items()))
    features = {feature.name: 1.25 for feature in monitored.baseline.features.numeric} | {"country": "c1"}
    values = [event(features, TODAY * 60.0 + i * 0.1, key) for i in range(N_POLLED)]
    for _ in pipeline.feed(decoder_of(models).decode(records(values)), TODAY * 60.0 + 100):
        pass


def _peak_bytes() -> int:
    """Return the largest resident size so far; that of `getrusage` may be the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell the peak")


if __name__ == "__main__":
    main(*sys.argv[1:])
