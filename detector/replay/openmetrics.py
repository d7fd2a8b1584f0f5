"""Evaluations as OpenMetrics with their own timestamps, for `promtool tsdb create-blocks-from openmetrics`.

A replay squeezes days into seconds; scraped, its graphs would be squeezed too. This file carries the
event time of every sample. OpenMetrics wants all samples of a family together, so each family is
spooled to a temporary file of its own and joined at the end: memory does not grow with the replay.
"""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from detector.errors import InputError
from detector.pipeline import Judged
from detector.times import format_duration

FAMILIES = {
    "drift_feature_distance": "Distance between window and baseline.",
    "drift_feature_threshold": "What the distance is held against.",
    "drift_feature_state": "-1 insufficient, 0 ok, 1 warning, 2 drift.",
    "drift_dataset_state": "-1 insufficient, 0 ok, 1 warning, 2 drift, for the model version as a whole.",
    "drift_dataset_drifted_features_ratio": "Share of the judged features that drift.",
    "drift_window_samples": "Events in the window.",
}

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class OpenMetricsFile:
    """Collects samples and writes the file when it is closed without an error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spools: dict[str, IO[str]] = {
            name: tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed in __exit__
            for name in FAMILIES
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._join()
        finally:
            for spool in self._spools.values():
                spool.close()

    def _join(self) -> None:
        try:
            with self._path.open("w", encoding="utf-8") as out:
                for name, spool in self._spools.items():
                    out.write(f"# HELP {name} {FAMILIES[name]}\n# TYPE {name} gauge\n")
                    spool.seek(0)
                    shutil.copyfileobj(spool, out)
                out.write("# EOF\n")
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror})") from None

    def add(self, judged: Judged) -> None:
        """Add the samples of one evaluation, at the end of its window."""
        evaluation = judged.evaluation
        window = format_duration(evaluation.window.length_s)
        at = f"{evaluation.window.end_s:.3f}"
        names = [feature.name.translate(_ESCAPES) for feature in evaluation.features.all]
        for row, slice_name in enumerate(evaluation.slices):
            whole = (
                f'model="{evaluation.key.model.translate(_ESCAPES)}",'
                f'version="{evaluation.key.version.translate(_ESCAPES)}",'
                f'slice="{slice_name.translate(_ESCAPES)}",window="{window}"'
            )
            self._write("drift_window_samples", whole, int(evaluation.n[row]), at)
            self._write("drift_dataset_state", whole, int(judged.dataset_state[row]), at)
            ratio = float(evaluation.drifted_ratio[row])
            if np.isfinite(ratio):
                self._write("drift_dataset_drifted_features_ratio", whole, ratio, at)
            for f, name in enumerate(names):
                self._write("drift_feature_state", f'{whole},feature="{name}"', int(judged.state[row, f]), at)
            for statistic, found in evaluation.statistics.items():
                for family, values in (
                    ("drift_feature_distance", found.value[row].tolist()),
                    ("drift_feature_threshold", found.threshold[row].tolist()),
                ):
                    for name, value in zip(names, values, strict=True):
                        if np.isfinite(value):
                            labels = f'{whole},feature="{name}",statistic="{statistic}"'
                            self._write(family, labels, value, at)

    def _write(self, family: str, labels: str, value: float, at: str) -> None:
        self._spools[family].write(f"{family}{{{labels}}} {value} {at}\n")
