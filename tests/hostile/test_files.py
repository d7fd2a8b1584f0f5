"""A catalogue of hostile and broken files: a file is read as a whole, or refused in one line; nothing else.

The numbers are those of the catalogue. What is tested where the code is, and what is tested here:

    48 aliases that multiply, 49 tags of code, 50 keys twice, 51 `no`, 22:22, 010 and dates, 52 merge keys and
       deep nesting                               config/test_yaml_file.py
    53 unknown and misspelt keys, 54 odd windows, 55 `${VARIABLE}` and secrets in the file
                                                  config/test_messages.py, cli/test_secrets.py
    56 pipes, devices, directories, other files   here, tables/test_find_files.py, state/test_directory.py
    57 addresses for files                        here, config/test_messages.py
    58 files that are half there                  here, baseline/test_file.py, test_reload_refused.py
    59 baselines that make no sense               here, baseline/test_file.py
    60 arrays and pickles                         here; no pickle anywhere: test_house.py
    61 bombs                                      here, tables/test_csv.py, tables/test_parquet.py
    62 formulas, NUL, 10^6 columns                here, cli/test_bad_input.py
    63 names twice, empty, long, unprintable      here, cli/test_bad_input.py, test_printable.py
    64 other content under the same name          test_reload.py: what tells baselines apart is their digest
    65 baselines of another model                 cli/test_commands.py
    66 state of a newer version                   state/test_directory.py, test_resume.py
    67 state of another topic                     sources/test_contract.py, sources/test_kafka_places.py
    68 where state cannot be written              state/test_directory.py, test_resume.py

Links to baselines and configurations are followed, for Kubernetes mounts files so.
"""

import gzip
import hashlib
import io
import json
import os
import pickle
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.baseline.file import MAX_BINS, MAX_FEATURES, dump_baseline, load_baseline
from detector.config import InvalidConfigError, load_config
from detector.config.schema_file import load_schema
from detector.errors import BaselineError, DataError, InputError
from detector.store import read_baseline
from detector.tables import find_files, read_chunks
from detector.tables.blocks import LINE_BYTES_MAX
from tests.support.factories import baseline_of, training_rows


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(5), 300), slices=("country",))


def _refusal(error, read, *arguments):
    """Return the one line with which reading ends."""
    with pytest.raises(error) as caught:
        read(*arguments)
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 600
    return text


def _held(call):
    """Return the most bytes that a call held at a time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _pipe(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _link_to_a_pipe(folder):
    (folder / "link").symlink_to(_pipe(folder))
    return folder / "link"


def _link_in_a_circle(folder):
    (folder / "circle").symlink_to(folder / "circle")
    return folder / "circle"


NO_FILES = {
    "a pipe": _pipe,
    "a link to a pipe": _link_to_a_pipe,
    "a link in a circle": _link_in_a_circle,
    "an endless device": lambda _: Path("/dev/zero"),
    "a directory": lambda folder: folder,
    "a directory above": lambda folder: folder / ".." / "..",
    "an address": lambda _: Path("http://169.254.169.254/latest/meta-data"),
    "a name that no file has": lambda folder: folder / ("x" * 300),
}


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, make):
    """56, 57: as a baseline and as a configuration; nothing is fetched, whatever the name looks like."""
    path = make(tmp_path)

    assert str(path) in _refusal(BaselineError, read_baseline, path)
    assert str(path) in _refusal(InvalidConfigError, load_config, path, {})


def test_a_file_of_others_is_not_repeated(tmp_path):
    """56: a name that leads elsewhere ends in a message that holds nothing of what stands there."""
    (tmp_path / "shadow").write_text("root:secret$6$hash:19000::::::\n")
    path = tmp_path / "baselines" / ".." / "shadow"
    path.parent.parent.mkdir()

    assert "secret" not in _refusal(BaselineError, read_baseline, path)
    assert "secret" not in _refusal(InvalidConfigError, load_config, path, {})


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/b.json", "s3://b/{version}.json", "file:///b.json"]
)
def test_an_address_is_no_baseline(tmp_path, address):
    """57: the configuration is refused; there is no code that would fetch it."""
    path = tmp_path / "c.yaml"
    path.write_text(
        "source: {kind: kafka, bootstrap_servers: [a:9092], topics: [t]}\n"
        f"models: [{{name: m, baselines: '{address}'}}]\n"
    )

    assert "only local files are read" in _refusal(InvalidConfigError, load_config, path, {})


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_file_that_is_half_there_is_refused(tmp_path, baseline, share):
    """58: none of it, or a part; as a baseline and as a schema."""
    path = tmp_path / "b.yaml"
    data = dump_baseline(baseline)
    path.write_bytes(data[: int(share * len(data))])

    assert "cut short" in _refusal(BaselineError, read_baseline, path)
    _refusal(InputError, load_schema, path)


def test_a_small_file_takes_little_memory(tmp_path):
    """However large one may be: room is made for what is there."""
    path = tmp_path / "s.yaml"
    path.write_text("format: streaming-drift-detector schema\n")

    assert _held(lambda: _refusal(InputError, load_schema, path)) < 4 << 20


def _edited(baseline, change):
    """Return the file with other content under the right checksum."""
    content = json.loads(dump_baseline(baseline))["content"]
    change(content)
    raw = json.dumps(content, separators=(",", ":")).encode()
    head = {"format": "streaming-drift-detector baseline", "format_version": 1}
    head["sha256"] = hashlib.sha256(raw).hexdigest()
    return json.dumps(head)[:-1].encode() + b',"content":' + raw + b"}"


def _numeric(content):
    return content["features"][0]["numeric"]


def _bins(content, n):
    counts = [content["rows"], *[0] * n]
    content["slices"] = []
    _numeric(content).update(edges=[float(i) for i in range(n)], counts=counts, sums=[0.0] * (n + 1))


def _emptied(content):
    content["rows"] = 0
    content["slices"] = []
    for feature in content["features"]:
        for part in (feature.get("numeric", {}), feature.get("categories", {})):
            part.update({key: [0] * len(part[key]) for key in ("counts", "buckets", "sums") if key in part})


NONSENSE = {
    "NaN": (lambda c: _numeric(c)["edges"].__setitem__(0, float("nan")), "not a baseline"),
    "infinity": (lambda c: _numeric(c)["edges"].__setitem__(-1, float("inf")), "not a baseline"),
    "edges alike": (lambda c: _numeric(c)["edges"].insert(0, _numeric(c)["edges"][0]), "do not increase"),
    "one edge": (lambda c: _bins(c, 1), "has 1 edges"),
    "no edges": (lambda c: _bins(c, 0), "has 0 edges"),
    "a million bins": (lambda c: _bins(c, 1_000_000), "has 1000000 edges"),
    "a bin too many": (lambda c: _bins(c, MAX_BINS + 1), f"has {MAX_BINS + 1} edges"),
    "no rows": (_emptied, "has 0 rows"),
    "fewer than no rows": (lambda c: c.__setitem__("rows", -1), "has -1 rows"),
    "negative squares": (lambda c: _numeric(c).__setitem__("squares", -5.0), "negative sum of squares"),
    "a huge count": (lambda c: _numeric(c)["counts"].__setitem__(0, 1 << 70), "sha|int|impossible"),
    "a slice below zero": (lambda c: c["slices"][0]["counts"].__setitem__(0, -1), "impossible count"),
    "a slice of more than all": (lambda c: c["slices"][0]["counts"].__setitem__(0, 301), "more than all 300"),
    "a slice twice": (lambda c: c["slices"].append(c["slices"][0]), "country=DE' twice"),
    "no name": (lambda c: c["features"][0].__setitem__("name", ""), "without a name"),
    "too many features": (lambda c: c["features"].extend(c["features"] * 5000), "has 20004 features"),
    "fewer than no values": (
        lambda c: c["features"][2]["categories"].__setitem__("distinct", -1), "negative number",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), NONSENSE.values(), ids=NONSENSE)
def test_a_baseline_that_makes_no_sense_is_refused(baseline, change, message):
    """59: even under the right checksum; all of it, for a part of a baseline is none."""
    assert re.search(message, _refusal(BaselineError, load_baseline, _edited(baseline, change), "b.json"))


def test_the_most_bins_are_taken(baseline):
    """59: up to the limit a baseline is one."""
    found = load_baseline(_edited(baseline, lambda c: _bins(c, MAX_BINS)), "b.json")

    assert len(found.binning.numeric[0].edges) == MAX_BINS


class _Trap:
    def __reduce__(self):
        return os.mkdir, ("trapped",)


def _saved(save, *arrays):
    stream = io.BytesIO()
    save(stream, *arrays)
    return stream.getvalue()


ARRAYS = {
    "b.npy": _saved(np.save, np.arange(9.0)),
    "b.npz": _saved(np.savez_compressed, np.zeros(1_000_000)),
    "b.pkl": pickle.dumps(_Trap()),
    "b.joblib": _saved(lambda stream, trap: np.save(stream, np.array([trap], object)), _Trap()),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_and_pickles_are_neither_baselines_nor_data(tmp_path, monkeypatch, name):
    """60: they are refused unread, and what they would run is not run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(ARRAYS[name])

    _refusal(BaselineError, read_baseline, path)
    assert "unknown kind of data file" in _refusal(DataError, find_files, [str(path)])
    assert not (tmp_path / "trapped").exists()


def _read(path):
    return sum(chunk.n for chunk in read_chunks(find_files([str(path)])))


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.gz"])
def test_a_bomb_of_one_line_is_refused(tmp_path, name):
    """61: 100 MB in 100 kB; reading ends where the line is too long."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"a\n" + b"1" * 100_000_000, 1))

    assert _held(lambda: _refusal(DataError, _read, path)) < 4 * LINE_BYTES_MAX


def test_a_table_that_unfolds_to_many_rows_is_read_piece_by_piece(tmp_path):
    """61: memory is that of a chunk, however many there are."""
    path = tmp_path / "t.parquet"
    with pq.ParquetWriter(path, pa.schema([("a", pa.float64())])) as writer:
        table = pa.table({"a": np.zeros(2_000_000)})
        for _ in range(10):
            writer.write_table(table)
    assert path.stat().st_size < 100_000
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    most = 0
    n = 0
    for chunk in read_chunks(find_files([str(path)])):
        n += chunk.n
        most = max(most, pool.bytes_allocated() - before)

    assert n == 20_000_000
    assert most < 32 << 20


def test_a_table_of_a_million_columns_is_refused(tmp_path):
    """62: at its header; the limit is that of baselines, for Parquet too."""
    names = [f"c{i}" for i in range(1_000_000)]
    csv, parquet = tmp_path / "t.csv", tmp_path / "t.parquet"
    csv.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    fewer = dict.fromkeys(names[: MAX_FEATURES + 1], 1)
    pq.write_table(pa.table({name: [1] for name in fewer}), parquet)

    for path in (csv, parquet):
        assert f"more than {MAX_FEATURES:,} columns" in _refusal(DataError, _read, path)


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "x" * 10_240, '{}"\n\x1b[31m', "a" * 127 + "\u202e"])
def test_names_of_any_kind_are_read_back(name):
    """62, 63: they are text, in the file of a baseline too; what shows them makes them harmless."""
    rows = [{**row, name: i % 7} for i, row in enumerate(training_rows(np.random.default_rng(5), 300))]
    found = load_baseline(dump_baseline(baseline_of(rows)), "b.json")

    assert name in found.features.names
