"""Which real programs there are to test against, and why one may be missing."""

import os
import shutil
from pathlib import Path

from tests.support.kafka_broker import kafka_available

TOOLS = Path(__file__).parents[2] / ".tools" / "prometheus" / "usr" / "bin"

IN_CI = bool(os.environ.get("CI"))

OTHER_KAFKA = os.environ.get("DRIFT_TEST_KAFKA")
"""Address of a cluster to use where a test needs no broker of its own."""


def program(name: str) -> str | None:
    """Return the path of an installed program, or of one that `tools/provide` fetched."""
    return shutil.which(name) or shutil.which(name, path=str(TOOLS))


def prometheus_available() -> str | None:
    """Return why Prometheus cannot be run here; None if it can."""
    if program("prometheus") is None or program("promtool") is None:
        return "there is no `prometheus`; run `make prometheus`"
    return None


MARKS = {"kafka": kafka_available, "prometheus": prometheus_available}
"""Mark of a test -> why what it needs is missing, None if it is there."""
