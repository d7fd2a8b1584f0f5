"""`run` with a format that needs a schema registry: the parts are put together."""

import numpy as np
import pytest
from pydantic import BaseModel

from detector.cli.run import build_service
from detector.clock import ManualClock
from detector.config import load_config
from detector.kinds import Kind
from detector.metrics import Metrics
from detector.sources import sources
from detector.sources.memory import MemorySource
from detector.store import write_baseline
from tests.formats.writing import KEY, SCHEMAS, START_S, WAYS
from tests.support.factories import baseline_of, training_rows
from tests.support.schema_registry import FakeRegistry

CONFIG = """
source: {kind: lists}
event: {format: avro}
schema_registry: {url: %s}
models: [{name: credit, baselines: baseline.json}]
http: {enabled: false}
"""


class Lists(BaseModel):
    """Settings of a source that is there for these tests."""

    kind: str = "lists"


@pytest.fixture
def memory():
    """The source that a configuration of this kind opens."""
    source = MemorySource()
    sources.add("lists", Kind(Lists, lambda settings, clock: source))
    yield source
    del sources._parts["lists"]


def test_avro_events_wait_for_their_schema_and_count(tmp_path, memory):
    """The registry is away at first; then every event is accepted, none undecodable."""
    rows = training_rows(np.random.default_rng(1), 300)
    rows = [{**row, "score": 0.5 + i % 7} for i, row in enumerate(rows)]
    write_baseline(tmp_path / "baseline.json", baseline_of(rows, prediction=("score",)))
    server = FakeRegistry()
    (tmp_path / "detector.yaml").write_text(CONFIG % server.url)
    server.stop()
    clock = ManualClock(START_S + 60)
    service, _ = build_service(load_config(tmp_path / "detector.yaml", {}), {}, Metrics(), clock)
    for written in WAYS["avro"].write(rows, START_S):
        memory.append(written.value)
    assert [service.step() for _ in range(3)] == [0, 0, 0]

    server.add(1, SCHEMAS[1])
    server.start()
    try:
        assert sum(service.step() for _ in range(20)) == 300
    finally:
        server.stop()
    counters = service._pipeline.counters
    assert counters.accepted == {KEY: 300}
    assert counters.rejected.total() == 0
