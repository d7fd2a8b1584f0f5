"""Fixtures for real Kafka and a real schema registry, and the rule that nothing is left out silently.

A test says by its mark what it needs (`kafka`, `prometheus`). Where that is missing on a user's machine
the test is skipped and named at the end; where CI is set, the run fails instead.
"""

import uuid
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.support.apicurio import Apicurio
from tests.support.availability import IN_CI, MARKS, OTHER_KAFKA, OTHER_REGISTRY
from tests.support.kafka_broker import KafkaBroker, create_topic


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put benchmarks aside unless asked for, and skip what cannot be run here."""
    if "bench" not in config.getoption("-m"):
        benches = [item for item in items if item.get_closest_marker("bench")]
        config.hook.pytest_deselected(items=benches)
        items[:] = [item for item in items if not item.get_closest_marker("bench")]
    for mark, why_missing in MARKS.items():
        needing = [item for item in items if item.get_closest_marker(mark)]
        if mark == "kafka" and OTHER_KAFKA:
            needing = [item for item in needing if "own_kafka" in getattr(item, "fixturenames", ())]
        if mark == "registry" and OTHER_REGISTRY:
            continue
        reason = why_missing() if needing else None
        if reason is None:
            continue
        if IN_CI:
            raise pytest.UsageError(f"{len(needing)} tests need {mark}: {reason}")
        for item in needing:
            item.add_marker(pytest.mark.skip(reason=f"{mark}: {reason}"))
        config.stash.setdefault(NOT_RUN, []).append(f"{len(needing)} tests of {mark}: {reason}")


NOT_RUN = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end what was not run, and why."""
    for line in config.stash.get(NOT_RUN, []):
        terminalreporter.write_line(f"NOT RUN: {line}", yellow=True)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator whose seed is the test's name: the same in every run, another in every test."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of an Apache Kafka that tests share; they make topics of their own."""
    if OTHER_KAFKA:
        yield OTHER_KAFKA
        return
    with KafkaBroker() as broker:
        yield broker.bootstrap


@pytest.fixture
def make_topic(kafka: str) -> Callable[..., str]:
    """Make topics with names that nobody else has: `make_topic(partitions=4, retention_ms="1")`."""

    def make(partitions: int = 1, **configs: str) -> str:
        return create_topic(kafka, f"test-{uuid.uuid4().hex[:12]}", partitions, **configs)

    return make


@pytest.fixture(scope="session")
def registry() -> Iterator[str]:
    """The address of a schema registry that tests share; they make subjects of their own."""
    if OTHER_REGISTRY:
        yield OTHER_REGISTRY
        return
    with Apicurio() as apicurio:
        yield apicurio.url


@pytest.fixture
def own_kafka() -> Iterator[KafkaBroker]:
    """An Apache Kafka to stop, freeze and start again."""
    with KafkaBroker() as broker:
        yield broker
