"""What `compare --join` prints, and its exit codes."""

import argparse
import json
from pathlib import Path

import pytest

from detector.cli.skew import add_join_arguments, run_join
from detector.errors import DataError, InputError
from detector.report.skew import skew_record, skew_text
from detector.skew import JoinOptions, join_by_id
from tests.skew.data import typed

GOLDEN = json.loads((Path(__file__).parent / "feature_skew.json").read_text())


def golden(**options):
    return join_by_id(typed(GOLDEN["base"]), typed(GOLDEN["test"]), ["id"], JoinOptions(**options))


TEXT = """\
feature skew: same id, other value; joined by id
reference 10 rows, current 12 rows
ids: 9 in common, 1 only in the reference, 1 only in the current data
rows without id: 0 reference, 1 current
ids that occur more than once on a side: 1, skipped
8 pairs of rows compared

  feature                          equal other value only ref. only cur.  differ
! amount                               7           1         0         0  12.50%
      ids such as k1
! country                              7           1         0         0  12.50%
      ids such as k2
! n                                    7           0         1         0  12.50%
      ids such as k3
! extra                                0           0         0         1 100.00%
      ids such as k4

feature skew in 4 of 4 features"""


def test_text():
    """Features that differ most first, and no value of the data."""
    assert skew_text(golden()) == TEXT


def test_text_with_values():
    """Pairs, and how often a text stands for another if that says more."""
    reference = [{"id": f"k{i}", "city": "Bern", "n": 1} for i in range(5)]
    current = [{"id": f"k{i}", "city": "BERN", "n": 1} for i in range(4)] + [
        {"id": "k4", "city": None, "n": 1}
    ]
    report = join_by_id(typed(reference), typed(current), ["id"], JoinOptions(show_values=True))
    lines = skew_text(report).splitlines()
    assert sum("Bern -> BERN" in line for line in lines) >= 3
    assert "      4 x Bern -> BERN" in lines
    assert lines[-1] == "feature skew in 1 of 2 features"
    n = next(line for line in lines if line.startswith("  n "))
    assert n.endswith("0.00%")


def test_text_is_narrow_whatever_the_data_hold():
    """At most 80 columns; control characters do not reach the terminal."""
    wide = {"id": "\x1b[31m" + "i" * 200, "x" * 90: "a" * 90 + "\n"}
    other = {"id": "\x1b[31m" + "i" * 200, "x" * 90: "b" * 90}
    for shown in (False, True):
        report = join_by_id(typed([wide] * 1), typed([other]), ["id"], JoinOptions(show_values=shown))
        text = skew_text(report)
        assert max(map(len, text.splitlines())) <= 80
        assert "\x1b" not in text


def test_record():
    """The counts and ids; values only when asked for."""
    record = skew_record(golden())
    assert record["skew"] == "feature"
    assert record["join"] == ["id"]
    assert record["ids"] == {
        "reference_rows": 10,
        "current_rows": 12,
        "reference_without_id": 0,
        "current_without_id": 1,
        "ids": 11,
        "in_common": 9,
        "missing_in_reference": 1,
        "missing_in_current": 1,
        "duplicates": 1,
        "pairs": 10,
        "pairs_compared": 8,
    }
    assert list(record["features"]) == ["amount", "country", "n", "extra"]
    assert record["features"]["n"] == {
        "reference": 8,
        "current": 7,
        "match": 7,
        "mismatch": 0,
        "reference_only": 1,
        "current_only": 0,
        "different": 1,
        "mismatch_share": 0.125,
        "sample_ids": ["k3"],
    }
    shown = skew_record(golden(show_values=True))["features"]
    assert shown["n"]["pairs"] == [{"id": "k3", "reference": "3", "current": None}]
    assert shown["country"]["confusion"] == [{"reference": "AR", "current": "XX", "count": 1}]
    assert shown["country"]["confusion_is_complete"]


def test_an_id_of_several_columns_is_a_list():
    """So that no separator can be mistaken for a part of it."""
    report = join_by_id(typed([{"a": 1, "b": "x", "c": 1}]), typed([{"a": 1, "b": "x", "c": 2}]), ["a", "b"])
    assert skew_record(report)["features"]["c"]["sample_ids"] == [["1", "x"]]


# The command


@pytest.fixture
def run(tmp_path):
    """Run a join of two CSV files."""
    (tmp_path / "train.csv").write_text("id,at,x,c\na,1,1.5,red\nb,1,2.5,green\n")
    (tmp_path / "same.csv").write_text("id,at,x,c\nb,2,2.5000001,green\na,2,1.50,red\n")
    (tmp_path / "other.csv").write_text("id,at,x,c\nb,1,2.6,green\na,1,1.5,red\n")

    def run_with(*arguments, current="same.csv", reference="train.csv"):
        parser = argparse.ArgumentParser(exit_on_error=False)
        parser.add_argument("reference")
        parser.add_argument("current", nargs="+")
        parser.add_argument("--format", default="text")
        parser.add_argument("--output")
        parser.add_argument("--config")
        parser.add_argument("--measures", default="own")
        add_join_arguments(parser)
        files = [str(tmp_path / reference), str(tmp_path / current)]
        return run_join(parser.parse_args([*files, *arguments]))

    return run_with


def test_exit_code_is_1_where_values_differ(run, capsys):
    """0 where all rows agree, 1 where one does not."""
    assert run("--join", "id", "--exclude", "at") == 0
    assert "feature skew in 0 of 2 features" in capsys.readouterr().out
    assert run("--join", "id", "--exclude", "at", current="other.csv") == 1
    assert run("--join", "id", "--exclude", "at", "--tolerance", "0.1", current="other.csv") == 0
    assert run("--join", "id", "--format", "json") == 1
    captured = capsys.readouterr()
    assert captured.err == "", "no progress but on a terminal"
    assert run("--join", "id,at", current="other.csv") == 1


def test_json_goes_to_a_file(run, tmp_path):
    """Whole, and with values as asked for."""
    out = tmp_path / "skew.json"
    arguments = ("--join", "id", "--format", "json", "--output", str(out), "--show-values")
    assert run(*arguments, current="other.csv") == 1
    record = json.loads(out.read_text())
    assert record["features"]["x"]["pairs"] == [{"id": "b", "reference": "2.5", "current": "2.6"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--join", ","), "needs the name of an id column"),
        (("--join", "id", "--format", "html"), "prints text or json"),
        (("--join", "id", "--measures", "tfdv"), "drop --measures tfdv"),
        (("--join", "id", "--config", "c.yaml"), "drop --config"),
    ],
)
def test_options_that_do_not_go_with_a_join(run, arguments, message):
    """Refused in a line rather than ignored."""
    with pytest.raises(InputError, match=message):
        run(*arguments)


def test_a_baseline_cannot_be_joined(run):
    """It holds counts, not rows."""
    with pytest.raises(InputError, match="a baseline holds only counts"):
        run("--join", "id", reference="baseline.json")


def test_an_unknown_id_column_is_named_with_its_side(run):
    """And the columns there are."""
    with pytest.raises(
        DataError, match="no column 'key' to join by in the reference data; there are id, at, x, c"
    ):
        run("--join", "key")


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "much"])
def test_a_tolerance_is_a_number(run, text):
    """Nothing negative, nothing infinite."""
    with pytest.raises(argparse.ArgumentError, match="expected a number of at least 0"):
        run("--join", "id", f"--tolerance={text}")
