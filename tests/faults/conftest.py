"""What the faults have in common: streams, what must come of them, and a last word on the figures."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from detector.baseline import Baseline
from tests.faults import setting
from tests.faults.form import IS_LONG, SEED
from tests.faults.oracle import Oracle, oracle
from tests.faults.reference import Reference, reference
from tests.faults.workload import Workload, workload

FIGURES = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Expected:
    """A stream and its right answer."""

    work: Workload
    baseline: Baseline
    right: Oracle
    like: Reference


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Expected]:
    """Make a stream of so many events, and work out what must come of it."""

    @cache
    def make(n_events: int) -> Expected:
        work, baseline = workload(SEED, n_events), setting.baseline(SEED)
        right = oracle(work, baseline)
        config = setting.write_setting(tmp_path_factory.mktemp("reference"), baseline, {"kind": "replay"})
        return Expected(work, baseline, right, reference(work, config, right))

    return make


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Say figures at the end of the run."""

    def note(**figures: object) -> None:
        text = " ".join(f"{name}={value}" for name, value in figures.items())
        request.config.stash.setdefault(FIGURES, []).append(f"{request.node.name}: {text}")

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures."""
    figures = config.stash.get(FIGURES, [])
    if figures:
        terminalreporter.section(f"faults: {'long' if IS_LONG else 'short'} form, seed {SEED}")
    for line in figures:
        terminalreporter.write_line(line)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory for one detector."""
    path = tmp_path / "detector"
    path.mkdir()
    return path
