"""From data files to a baseline: what `baseline build` and `compare` share."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from detector import __version__
from detector.baseline import Baseline, Provenance, SourceFile
from detector.baseline.build import BuildOptions, build_baseline
from detector.cli.progress import Progress
from detector.clock import SystemClock
from detector.tables import DataFile, digest_files, read_chunks


def build_from_files(files: Sequence[DataFile], options: BuildOptions) -> Baseline:
    """Build a baseline from data files, showing progress on a terminal.

    Raises:
        DataError: the files cannot be read, or no baseline can be built from them.
    """
    progress = Progress(sum(file.bytes for file in files))
    built_at = datetime.fromtimestamp(SystemClock().now_s(), tz=UTC).isoformat(timespec="seconds")
    provenance = Provenance(
        files=tuple(SourceFile(Path(file.path).name, file.bytes) for file in files),
        sha256=digest_files(files),
        rows=0,
        built_at=built_at.replace("+00:00", "Z"),
        tool_version=__version__,
        sampled_rows=0,
    )
    try:
        return build_baseline(
            lambda: read_chunks(files, advance=progress.advance), options, provenance, progress.begin
        )
    finally:
        progress.end()
