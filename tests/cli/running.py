"""Running the command line in this process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from detector.cli import main
from tests.support.factories import KEY


@dataclass
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Command:
    """Calls `drift-detector` with arguments."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Ran:
        self._capsys.readouterr()
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as done:
            code = int(done.code or 0)
        printed = self._capsys.readouterr()
        return Ran(code, printed.out, printed.err)


def write_config(path: Path, baseline: Path, **sections: Any) -> Path:
    """Write a configuration for one model with small windows."""
    document = {
        "source": {"kind": "replay"},
        "models": [{"name": KEY.model, "baselines": str(baseline)}],
        "windows": {"pane": "1m", "lengths": ["5m"], "lateness": "0s"},
        "decision": {"min_samples": 100},
        **sections,
    }
    path.write_text(yaml.safe_dump(document))
    return path
