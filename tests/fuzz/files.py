"""Files that a user names: each is read as a whole, or refused by the error that is documented for it."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from detector.baseline import Baseline
from detector.baseline.file import FORMAT, dump_baseline, load_baseline
from detector.config import InvalidConfigError, load_config
from detector.config.schema_file import load_schema
from detector.drift.policy import DecisionPolicy
from detector.errors import BaselineError, InputError, StateError
from detector.pipeline import Pipeline
from detector.state.encoding import HEAD, Cut, Encoder, decode, head_of
from detector.watched import Monitored
from detector.windows.slices import Slices
from tests.support.factories import KEY, SPEC, START_S, Rig, baseline_of, event, training_rows

ROWS = training_rows(np.random.default_rng(1), 60)


def _in_a_file(suffix: str, read: Callable[[Path], None]) -> Callable[[bytes], None]:
    directory = tempfile.TemporaryDirectory(prefix="fuzz-")

    def run(data: bytes) -> None:
        path = Path(directory.name) / f"file{suffix}"
        path.write_bytes(data)
        read(path)

    return run


def _told_in_lines(problems: Sequence[str]) -> None:
    for problem in problems:
        assert problem.isprintable(), problem


def _config(path: Path) -> None:
    try:
        config = load_config(path, {})
    except InvalidConfigError as error:
        _told_in_lines(error.problems)
        return
    assert config.window_spec().lengths_s
    config.event_options()
    for model in config.models:
        config.decision_policy(model.name)


def _schema(path: Path) -> None:
    try:
        assert load_schema(path).features
    except InputError as error:
        _told_in_lines([str(error)])


config = _in_a_file(".yaml", _config)
schema_yaml = _in_a_file(".yaml", _schema)
schema_pbtxt = _in_a_file(".pbtxt", _schema)


@cache
def trained() -> Baseline:
    """A small baseline with a slice."""
    return baseline_of(ROWS, slices=("country",))


def baseline_file(data: bytes) -> None:
    """The file as a whole."""
    try:
        load_baseline(data, "b.json")
    except BaselineError as error:
        _told_in_lines([str(error)])


def baseline_content(data: bytes) -> None:
    """What stands in it, under the right checksum; what is taken can be judged with, and written again."""
    digest = hashlib.sha256(data.replace(b'\n{"name":', b'{"name":')).hexdigest()
    head = json.dumps({"format": FORMAT, "format_version": 1, "sha256": digest})[:-1].encode()
    try:
        baseline = load_baseline(head + b',"content":' + data + b"}", "b.json")
    except BaselineError as error:
        _told_in_lines([str(error)])
        return
    with np.errstate(all="ignore"):
        rig = Rig(baseline, policy=DecisionPolicy(min_samples=10))
        rig.feed([event(row) for row in ROWS[:20]])
        rig.finish()
    dump_baseline(baseline)


def contents() -> list[bytes]:
    """What stands in the file of `trained`."""
    text = dump_baseline(trained()).decode()
    return [text[text.index('"content":\n') + 11 : -2].strip().encode()]


@cache
def _pipeline() -> Pipeline:
    return Pipeline(SPEC, {KEY: Monitored(trained(), DecisionPolicy(min_samples=10), Slices())})


def cut_file(data: bytes) -> None:
    """The file as a whole."""
    try:
        decode(data)
    except StateError:
        return


def cut_body(data: bytes) -> None:
    """What stands in it, under the right checksum; what is read is taken on, or refused as documented."""
    try:
        cut = decode(head_of(data) + data)
    except StateError:
        return
    try:
        _pipeline().anew().recall(cut.tree)
    except ValueError:
        return


def cuts() -> list[bytes]:
    """A cut of a pipeline that has seen a few events."""
    rig = Rig(trained(), policy=DecisionPolicy(min_samples=10))
    rig.feed([event(row, START_S + 10 * i) for i, row in enumerate(ROWS)])
    return [b"".join(Encoder().encode(Cut(rig.pipeline.remember(), {})))]


def bodies() -> list[bytes]:
    """The bodies of `cuts`, and of one with nothing in it."""
    return [cut[HEAD.size :] for cut in [*cuts(), b"".join(Encoder().encode(Cut(None, {})))]]
