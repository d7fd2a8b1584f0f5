"""What is fuzzed, by both forms: `pytest tests/fuzz` with Hypothesis, `make fuzz` with Atheris (libFuzzer).

A target takes bytes and returns. It may raise nothing: it knows the documented errors of what it calls, and
states with `assert` what else is promised. Seeds are made by the program's own writers, and lie in `corpus`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz import events, files, http

CORPUS = Path(__file__).with_name("corpus")

MAX_INPUT_BYTES = 16 << 10
MAX_MEMORY_BYTES = 64 << 20
"""What the process may grow by for inputs of that size."""


@dataclass(frozen=True)
class Target:
    """One way in."""

    run: Callable[[bytes], None]
    made: Callable[[], list[bytes]] = field(default=list)
    corpus: str = ""
    """The directory of `CORPUS` with more seeds."""
    short: int = 400
    """Executions with every run of the tests."""

    def seeds(self) -> list[bytes]:
        """Return inputs to begin with, as good as any."""
        there = sorted((CORPUS / self.corpus).iterdir()) if self.corpus else []
        return [*self.made(), *(path.read_bytes() for path in there)]


def _event(way: events.Way) -> Target:
    return Target(events.record_of(way), lambda: events.records_like(way))


TARGETS = {
    **{name: _event(way) for name, way in events.WAYS_BY_NAME.items()},
    "avro-schema": Target(events.avro_schema, lambda: events.AVRO_SCHEMAS, "avro"),
    "config": Target(files.config, corpus="config"),
    "schema-yaml": Target(files.schema_yaml, corpus="schema"),
    "schema-pbtxt": Target(files.schema_pbtxt, corpus="pbtxt"),
    "baseline": Target(files.baseline_file, lambda: [files.dump_baseline(files.trained())]),
    "baseline-content": Target(files.baseline_content, files.contents),
    "cut": Target(files.cut_file, files.cuts),
    "cut-body": Target(files.cut_body, files.bodies, "cut"),
    "http": Target(http.request, corpus="http"),
}
