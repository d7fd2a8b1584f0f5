"""Which real programs there are to test against, and why one may be missing."""

import os
import shutil
from pathlib import Path

from tests.support.apicurio import registry_available
from tests.support.kafka_broker import kafka_available
from tests.support.users import other_users_available

TOOLS = Path(__file__).parents[2] / ".tools"
FETCHED = os.pathsep.join(
    str(TOOLS / package / "usr" / "bin") for package in ("prometheus", "prometheus-alertmanager")
)

IN_CI = bool(os.environ.get("CI"))

OTHER_KAFKA = os.environ.get("DRIFT_TEST_KAFKA")
"""Address of a cluster to use where a test needs no broker of its own."""

OTHER_REGISTRY = os.environ.get("DRIFT_TEST_SCHEMA_REGISTRY")
"""Address of a schema registry to use, such as http://localhost:8080/apis/ccompat/v7."""


def program(name: str) -> str | None:
    """Return the path of an installed program, or of one that `tools/provide` fetched."""
    return shutil.which(name) or shutil.which(name, path=FETCHED)


def prometheus_available() -> str | None:
    """Return why Prometheus cannot be run here; None if it can."""
    if program("prometheus") is None or program("promtool") is None:
        return "there is no `prometheus`; run `make prometheus`"
    return None


def alertmanager_available() -> str | None:
    """Return why Alertmanager cannot be run here; None if it can."""
    if program("prometheus-alertmanager") is None or program("amtool") is None:
        return "there is no `prometheus-alertmanager`; run `make prometheus`"
    return None


def browser_available() -> str | None:
    """Return why the pages cannot be looked at in Chromium here; None if they can."""
    return None if program("chromium") else "there is no `chromium`; run `make browser`"


MARKS = {
    "kafka": kafka_available,
    "registry": registry_available,
    "prometheus": prometheus_available,
    "alertmanager": alertmanager_available,
    "image": other_users_available,
    "browser": browser_available,
}
"""Mark of a test -> why what it needs is missing, None if it is there."""
