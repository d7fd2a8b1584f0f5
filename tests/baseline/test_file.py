"""The baseline file: reads back what was written, and refuses everything else in one line."""

import json

import numpy as np
import pytest

from detector.baseline.file import dump_baseline, load_baseline
from detector.errors import BaselineError
from detector.store import read_baseline, write_baseline
from tests.support.factories import baseline_of, training_rows


@pytest.fixture(scope="module")
def baseline():
    rows = training_rows(np.random.default_rng(5), 3000)
    rows[0]["amount"] = None
    rows[1]["country"] = 'odd "\n{"name":" name'
    return baseline_of(rows, slices=("country",), prediction=("member",))


def test_what_is_written_reads_back_the_same(baseline, tmp_path):
    """Features, bins, counts, slices, provenance; and the digest is that of the content."""
    path = tmp_path / "b.json"
    write_baseline(path, baseline)
    again = read_baseline(path)

    assert again.features == baseline.features
    for row in range(len(baseline.profile.counts)):
        np.testing.assert_array_equal(again.profile.counts[row], baseline.profile.counts[row])
    np.testing.assert_array_equal(again.profile.sums, baseline.profile.sums)
    np.testing.assert_array_equal(again.profile.low, baseline.profile.low)
    np.testing.assert_array_equal(again.centers, baseline.centers)
    np.testing.assert_allclose(again.std, baseline.std)
    assert (again.slices, again.facts, again.provenance) == (
        baseline.slices,
        baseline.facts,
        baseline.provenance,
    )
    assert dump_baseline(again) == path.read_bytes()
    assert len(again.digest) == 64


def test_the_file_is_json_that_people_can_read(baseline):
    """A feature a line, with format, version and provenance at the top."""
    text = dump_baseline(baseline).decode()
    document = json.loads(text)

    assert document["format_version"] == 1
    assert [f["name"] for f in document["content"]["features"]] == list(baseline.features.names)
    assert {"files", "sha256", "rows", "built_at", "tool_version"} <= set(document["content"]["provenance"])
    assert sum(line.startswith('{"name":') for line in text.splitlines()) >= len(baseline.features)


def _edited(baseline, change):
    """The file with its content changed and the digest put right: damage that only sense can find."""
    import hashlib

    document = json.loads(dump_baseline(baseline))
    change(document["content"])
    raw = json.dumps(document["content"], separators=(",", ":")).encode()
    document["sha256"] = hashlib.sha256(raw).hexdigest()
    head = json.dumps({k: document[k] for k in ("format", "format_version", "sha256")})[:-1]
    return head.encode() + b', "content":' + raw + b"}"


def _first(content, kind):
    return next(f for f in content["features"] if kind in f)


CHANGES = {
    "no features": lambda c: c["features"].clear(),
    "a feature twice": lambda c: c["features"].insert(0, c["features"][0]),
    "edges that fall": lambda c: _first(c, "numeric")["numeric"]["edges"].reverse(),
    "an edge that is text": lambda c: _first(c, "numeric")["numeric"]["edges"].__setitem__(0, "low"),
    "a negative count": lambda c: _first(c, "numeric")["numeric"]["counts"].__setitem__(1, -1),
    "a count too many": lambda c: _first(c, "numeric")["numeric"]["counts"].append(1),
    "counts that do not add up": lambda c: c.__setitem__("rows", c["rows"] + 1),
    "a value twice": lambda c: _first(c, "categories")["categories"]["values"].__setitem__(0, "FR"),
    "buckets missing": lambda c: _first(c, "categories")["categories"]["buckets"].pop(),
    "hashes that are none": lambda c: _first(c, "categories")["categories"].__setitem__("seen", "!!"),
    "an unknown type": lambda c: c["features"][0].__setitem__("type", "decimal"),
    "a type of the other kind": lambda c: _first(c, "numeric").__setitem__("type", "string"),
    "a slice cut short": lambda c: c["slices"][0]["counts"].pop(),
    "no provenance": lambda c: c.pop("provenance"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_content_that_makes_no_sense_is_refused(baseline, change):
    """Even with a right digest: one line with the file's name and the remedy."""
    with pytest.raises(BaselineError) as found:
        load_baseline(_edited(baseline, change), "b.json")

    assert str(found.value).startswith("b.json: ")
    assert "baseline build" in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a baseline file, or cut short"),
        (b"{}", "not a baseline file, or cut short"),
        (b"\xff" * 10, "not a baseline file, or cut short"),
        (b'{"format": "x", "format_version": 1, "sha256": "", "content": {}}', "not a baseline file"),
        (
            b'{"format":"streaming-drift-detector baseline","format_version":2,"sha256":"","content":0}',
            "format version 2, this version of the detector reads 1",
        ),
    ],
)
def test_other_files_are_refused(data, message):
    """Empty, cut, another format, another version."""
    with pytest.raises(BaselineError, match=message):
        load_baseline(data, "b.json")


def test_any_flipped_byte_of_the_content_is_noticed(baseline, rng):
    """Two hundred places, one at a time."""
    data = dump_baseline(baseline)
    start = data.index(b'"content"') + 12
    for at in rng.integers(start, len(data) - 3, 200).tolist():
        damaged = bytearray(data)
        damaged[at] ^= 0x01
        if bytes(damaged) == data:
            continue
        with pytest.raises(BaselineError):
            load_baseline(bytes(damaged), "b.json")


def test_a_file_cut_anywhere_is_refused(baseline):
    """A copy that was interrupted."""
    data = dump_baseline(baseline)
    for share in (0.01, 0.3, 0.9, 0.999):
        with pytest.raises(BaselineError):
            load_baseline(data[: int(len(data) * share)], "b.json")


def test_missing_files_and_directories_are_one_line(tmp_path):
    """Named, with what to do."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(BaselineError, match=str(path)):
            read_baseline(path)
