"""The configuration under which every fault happens: small windows, state that is saved often."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from detector.baseline import Baseline
from detector.store import write_baseline
from tests.faults.workload import LATENESS_S, LENGTHS_S, PANE_S, training_rows
from tests.support.factories import KEY, baseline_of

CUT_EVERY = "1s"

SECTIONS: Mapping[str, Any] = {
    "windows": {
        "pane": f"{PANE_S}s",
        "lengths": [f"{length}s" for length in LENGTHS_S],
        "lateness": f"{LATENESS_S}s",
        # Wall time decides nothing here: no partition ever counts as silent, no event as too new.
        "idle_after": "30d",
        "max_future": "3650d",
    },
    "decision": {"min_samples": 200},
    "alerts": {"clear_for": "10m", "sinks": [{"kind": "log"}]},
    "reload": "off",
}


def baseline(seed: int) -> Baseline:
    """The baseline of the features of the stream."""
    return baseline_of(training_rows(seed, 10_000))


def write_setting(
    directory: Path, of: Baseline, source: Mapping[str, Any], webhook: str | None = None, **more: Any
) -> Path:
    """Write configuration and baseline to a directory that is there; return the configuration's path."""
    write_baseline(directory / "baseline.json", of)
    sections = dict(SECTIONS)
    if webhook is not None:
        (directory / "webhook-url").write_text(webhook + "\n")
        sink = {"kind": "webhook", "url_file": str(directory / "webhook-url")}
        sections["alerts"] = {**SECTIONS["alerts"], "sinks": [sink]}
    document = {
        "source": dict(source),
        "models": [{"name": KEY.model, "baselines": str(directory / "baseline.json")}],
        **sections,
        **more,
    }
    path = directory / "detector.yaml"
    path.write_text(yaml.safe_dump(document))
    return path
