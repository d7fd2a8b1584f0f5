"""The API does what its document says: schemathesis reads it, and tries."""

import os
import subprocess
import sys

import pytest

from detector.metrics import Metrics
from detector.web import WebServer
from tests.support.factories import KEY
from tests.support.views import drifted_view, hostile_view

CASES = 30
"""Of each operation and kind, besides those that the document itself suggests."""

REAL = f"""
[parameters]
"path.model" = ["{KEY.model}"]
"path.version" = ["{KEY.version}"]
"path.feature" = ["amount", "country", "age", "member"]
"""


@pytest.mark.parametrize(("view", "known"), [(drifted_view, ""), (drifted_view, REAL), (hostile_view, REAL)])
def test_schemathesis_finds_nothing(tmp_path, view, known):
    """With all its checks: whatever is asked, documented answers of the documented form. Seeded.

    Once with models and features of its own invention, and with those there are.
    """
    metrics = Metrics()
    metrics.publish(view())
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0)
    url = f"http://127.0.0.1:{server.start()}/api/v1/openapi.json"
    (tmp_path / "schemathesis.toml").write_text(known)
    command = ["run", url, "--checks", "all", "--continue-on-failure", "--seed", "1", "-n", str(CASES)]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *command],
            cwd=tmp_path, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, timeout=240,
            check=False,
        )  # fmt: skip
    finally:
        server.stop()

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert "11 selected / 11 total" in done.stdout
