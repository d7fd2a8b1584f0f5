"""`schema infer`, `show`, `validate`, `diff`, and what other commands do with a schema."""

import json

import pytest
import yaml

from tests.support.factories import event

N = 300


def _table(rows, names=("amount", "visits", "country", "label")):
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)]) + "\n"


def _rows(n=N, country=("DE", "FR", "IT"), shift=0.0):
    return [(i / 3 + shift, i % 7, country[i % len(country)], "good" if i % 5 else "bad") for i in range(n)]


@pytest.fixture
def files(tmp_path):
    """train.csv, serving.csv (like it, without label) and odd.csv (another country, text for a number)."""
    (tmp_path / "train.csv").write_text(_table(_rows()))
    (tmp_path / "serving.csv").write_text(
        _table([row[:3] for row in _rows(200)], ("amount", "visits", "country"))
    )
    odd = [*_rows(90), *(("q", 1, "XX", "good") for _ in range(10))]
    (tmp_path / "odd.csv").write_text(_table(odd))
    return tmp_path


@pytest.fixture
def schema(files, drift_detector):
    """A schema inferred from train.csv, with a label."""
    ran = drift_detector("schema", "infer", files / "train.csv", "--label", "label", "-o", files / "s.yaml")
    assert ran.code == 0, ran.err
    return files / "s.yaml"


def _narrow(text, folder):
    """Assert that lines are at most 80 columns wide, but for the folder's name, which is not ours."""
    for line in text.splitlines():
        assert len(line.replace(f"{folder}/", "")) <= 80, line


def _edit(path, edit):
    """Change a schema as a person would."""
    document = yaml.safe_load(path.read_text())
    edit(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def test_infer_writes_yaml_for_people_and_says_what_to_look_at(schema, files, drift_detector):
    """The document on standard output is the file; notes are beside it only where it goes to a file."""
    printed = drift_detector("schema", "infer", files / "train.csv", "--label", "label")
    dashed = drift_detector("schema", "infer", files / "train.csv", "--label", "label", "-o", "-")
    told = drift_detector("schema", "infer", files / "train.csv", "-o", files / "t.yaml")

    assert printed.out == dashed.out == schema.read_text()
    assert list(yaml.safe_load(printed.out)["features"]) == ["amount", "visits", "country", "label"]
    assert "4 features" in told.out
    assert "2 features have proposed rules" in told.out
    _narrow(told.out, files)


def test_show_is_a_table_and_translates(schema, drift_detector):
    """By --format, or by the ending of --output; back again it is the same but for what TFDV cannot say."""
    shown = drift_detector("schema", "show", schema)
    for name in ("s.pbtxt", "back.yaml"):
        before = schema.parent / ("s.pbtxt" if name == "back.yaml" else "s.yaml")
        assert drift_detector("schema", "show", before, "-o", schema.parent / name).code == 0
    explicit = drift_detector("schema", "show", schema, "--format", "pbtxt")
    differing = drift_detector("schema", "diff", schema, schema.parent / "back.yaml")

    assert shown.code == 0
    assert "country" in shown.out
    _narrow(shown.out, schema.parent)
    assert explicit.out == (schema.parent / "s.pbtxt").read_text()
    assert "left out: " in explicit.err
    assert "rules: own" in differing.out


@pytest.mark.parametrize("name", ["x.txt", "x.prototxt", "x.pbtxt", "x.yml", "x.YAML"])
def test_what_infer_writes_can_be_read(files, drift_detector, name):
    """Whatever the ending, if it is one of a schema."""
    assert drift_detector("schema", "infer", files / "train.csv", "-o", files / name).code == 0
    assert drift_detector("schema", "validate", files / name, files / "train.csv").code == 0


def test_another_ending_is_refused_before_anything_is_read(files, drift_detector):
    """No schema could be read from there."""
    ran = drift_detector("schema", "infer", files / "train.csv", "-o", files / "s.json")

    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "name a .yaml file" in ran.err
    assert not (files / "s.json").exists()


def test_validate_exits_0_for_what_satisfies_and_1_for_what_does_not(schema, files, drift_detector):
    """Training data satisfy their own schema; odd data are told apart feature by feature."""
    fine = drift_detector("schema", "validate", schema, files / "train.csv")
    odd = drift_detector("schema", "validate", schema, files / "odd.csv")

    assert (fine.code, odd.code) == (0, 1)
    assert fine.out == f"{N} rows against the schema of 4 features\n\nno anomalies\n"
    assert "error    amount                       UNEXPECTED_DATA_TYPE" in odd.out
    assert "XX (10 %)" in odd.out
    assert odd.out.endswith("2 errors in 2 features\n")
    _narrow(odd.out, files)


def test_validate_json_has_the_documented_shape(schema, files, drift_detector):
    """To a file too, and then nothing is printed."""
    out = files / "result.json"
    ran = drift_detector("schema", "validate", schema, files / "odd.csv", "--format", "json", "-o", out)
    record = json.loads(out.read_text())

    assert (ran.code, ran.out) == (1, "")
    assert set(record) == {"rows", "environment", "anomalies"}
    assert (record["rows"], record["environment"]) == (100, None)
    assert set(record["anomalies"][0]) == {"feature", "kind", "severity", "short", "long"}
    assert [(a["feature"], a["kind"]) for a in record["anomalies"]] == [
        ("amount", "UNEXPECTED_DATA_TYPE"),
        ("country", "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    ]


def test_serving_data_need_no_label(schema, files, drift_detector):
    """In their environment; a wrong one is refused."""
    base = ("schema", "validate", schema, files / "serving.csv")

    assert drift_detector(*base).code == 1
    assert drift_detector(*base, "--environment", "TRAINING").code == 1
    assert drift_detector(*base, "--environment", "SERVING").code == 0
    wrong = drift_detector(*base, "--environment", "PRODUCTION")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "it has SERVING, TRAINING" in wrong.err


def test_warnings_fail_unless_only_errors_shall(schema, files, drift_detector):
    """What was only proposed is a warning: a range."""
    (files / "far.csv").write_text(_table(_rows(shift=1000.0)))
    base = ("schema", "validate", schema, files / "far.csv")
    errors_only = drift_detector(*base, "--fail-on", "error")

    assert drift_detector(*base).code == 1
    assert errors_only.code == 0
    assert "warning  amount                       FLOAT_TYPE_BIG_FLOAT" in errors_only.out


@pytest.mark.parametrize(("option", "key"), [("--previous", "drift"), ("--serving", "skew")])
def test_comparators_look_at_the_other_data(schema, files, drift_detector, option, key):
    """Only where the schema has a threshold for them."""
    (files / "moved.csv").write_text(_table(_rows(country=("DE", "DE", "IT"))))
    base = ("schema", "validate", schema, files / "train.csv", option, files / "moved.csv")
    before = drift_detector(*base)
    _edit(schema, lambda document: document["features"]["country"].update({key: {"l_infinity": 0.3}}))
    ran = drift_detector(*base)
    same = drift_detector("schema", "validate", schema, files / "train.csv", option, files / "train.csv")

    assert (before.code, ran.code, same.code) == (0, 1, 0)
    assert "COMPARATOR_L_INFTY_HIGH" in ran.out
    assert "0.333333" in ran.out


def test_rows_are_held_against_the_data_before(schema, files, drift_detector):
    """By the ratio that the schema allows."""
    _edit(schema, lambda document: document.update(rows={"previous_min_ratio": 0.9}))
    (files / "few.csv").write_text(_table(_rows(200)))
    base = ("schema", "validate", schema, files / "few.csv")

    assert drift_detector(*base).code == 0
    ran = drift_detector(*base, "--previous", files / "train.csv")
    assert ran.code == 1
    assert "error    (data set)                   COMPARATOR_LOW_NUM_EXAMPLES" in ran.out


def test_diff_says_what_differs(schema, files, drift_detector):
    """Exit code 0 unless asked for; with itself a schema has no difference."""
    other = files / "other.yaml"
    other.write_text(schema.read_text().replace("values: [DE, FR, IT]", "values: [DE, FR, ES]"))
    ran = drift_detector("schema", "diff", schema, other)

    assert (ran.code, ran.out) == (0, "country\n  - values: IT\n  + values: ES\n")
    assert drift_detector("schema", "diff", schema, other, "--exit-code").code == 1
    assert drift_detector("schema", "diff", schema, schema, "--exit-code").code == 0


def test_a_schema_of_tfdvs_is_judged_as_tfdv_does(files, drift_detector):
    """In and out: inferred like TFDV, one missing cell breaks presence and shape."""
    path = files / "s.pbtxt"
    assert drift_detector("schema", "infer", files / "train.csv", "--like-tfdv", "-o", path).code == 0
    (files / "gap.csv").write_text(_table([("", *_rows(1)[0][1:]), *_rows(50)]))
    ran = drift_detector("schema", "validate", path, files / "gap.csv")

    assert ran.code == 1
    assert {line.split()[-1] for line in ran.out.splitlines() if line.startswith("error")} == {
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        "INVALID_FEATURE_SHAPE",
    }


def test_a_baseline_takes_a_schema_of_ones_own(schema, files, drift_detector):
    """It is what `compare` then holds data against, and errors stay errors however few values break it."""
    path = files / "b.json"
    _edit(schema, lambda document: document["features"]["visits"].update(range={"max": 5}, proposed=[]))
    built = drift_detector(
        "baseline", "build", files / "train.csv", "--label", "label", "--schema", schema, "-o", path
    )
    shown = drift_detector("baseline", "show", path)
    compared = drift_detector("compare", path, files / "serving.csv", "--format", "json")
    kinds = {(a["feature"], a["kind"], a["severity"]) for a in json.loads(compared.out)["anomalies"]}

    assert built.code == 0, built.err
    assert "schema: given, 4 columns" in shown.out
    _narrow(built.out + shown.out, files)
    assert (compared.code, kinds) == (1, {("visits", "INT_TYPE_BIG_INT", "error")})


def test_compare_takes_a_schema_with_data_and_not_with_a_baseline(schema, files, drift_detector):
    """A baseline has its own inside."""
    own = drift_detector("compare", files / "train.csv", files / "odd.csv", "--schema", schema)
    drift_detector("baseline", "build", files / "train.csv", "-o", files / "b.json")
    refused = drift_detector("compare", files / "b.json", files / "odd.csv", "--schema", schema)

    assert own.code == 1
    assert "ENUM_TYPE_UNEXPECTED_STRING_VALUES" in own.out
    _narrow(own.out, files)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "a baseline has its schema" in refused.err


def test_tfdvs_measures_break_the_thresholds_of_a_schema(schema, files, drift_detector):
    """`compare --measures tfdv --schema`."""
    base = ("compare", files / "train.csv", files / "odd.csv", "--measures", "tfdv", "--schema", schema)
    _edit(schema, lambda document: document["features"]["country"].update(drift={"l_infinity": 0.05}))
    ran = drift_detector(*base, "--format", "json")
    country = json.loads(ran.out)["features"]["country"]

    assert ran.code == 1
    assert (country["state"], country["statistics"]["l_infinity"]["threshold"]) == ("drift", 0.05)
    _narrow(drift_detector(*base).out, files)


def test_rows_are_joined_by_id(files, drift_detector):
    """`compare --join`: the same row with another value; a schema does not go with it."""
    (files / "a.csv").write_text("id,x\n1,1.5\n2,2.5\n")
    (files / "b.csv").write_text("id,x\n2,2.5\n1,1.75\n")
    base = ("compare", files / "a.csv", files / "b.csv", "--join", "id")
    same = drift_detector("compare", files / "a.csv", files / "a.csv", "--join", "id")
    ran, refused = drift_detector(*base), drift_detector(*base, "--schema", files / "s.yaml")

    assert (same.code, ran.code, refused.code) == (0, 1, 2)
    assert "drop --schema" in refused.err
    assert "feature skew in 1 of 1 features" in ran.out
    _narrow(ran.out, files)


def test_full_events_have_a_schema_of_their_features(files, drift_detector):
    """Not of model, version, time and id; predictions and labels count."""
    rows = [event({"age": 20 + i % 50, "country": "DE"}, prediction={"score": i / 50}) for i in range(50)]
    (files / "e.jsonl").write_bytes(b"\n".join(rows))
    assert drift_detector("schema", "infer", files / "e.jsonl", "-o", files / "e.yaml").code == 0
    features = yaml.safe_load((files / "e.yaml").read_text())["features"]

    assert set(features) == {"age", "country", "prediction.score"}
    assert drift_detector("schema", "validate", files / "e.yaml", files / "e.jsonl").code == 0


ERRORS = {
    "no schema": (["validate", "none.yaml", "train.csv"], "none.yaml"),
    "data as schema": (["validate", "train.csv", "train.csv"], "unknown kind of schema"),
    "no data": (["validate", "s.yaml", "none.csv"], "none.csv"),
    "no previous": (["validate", "s.yaml", "train.csv", "--previous", "none.csv"], "none.csv"),
    "no such label": (["infer", "train.csv", "--label", "lable"], "no column 'lable'"),
    "no such column": (["infer", "train.csv", "--exclude", "x"], "no column 'x'"),
    "everything excluded": (
        [
            "infer",
            "train.csv",
            *(x for c in ("amount", "visits", "country", "label") for x in ("--exclude", c)),
        ],
        "no column is left",
    ),
    "not writable": (["infer", "train.csv", "-o", "/none/s.yaml"], "cannot be written"),
    "over its data": (["infer", "train.csv", "-o", "train.csv"], "unknown kind of schema"),
    "over the schema": (["validate", "s.yaml", "train.csv", "-o", "s.yaml"], "one of the inputs"),
    "over the previous": (
        ["validate", "s.yaml", "train.csv", "--previous", "odd.csv", "-o", "odd.csv"],
        "one of the inputs",
    ),
    "show over itself": (["show", "s.yaml", "-o", "s.yaml"], "one of the inputs"),
    "no action": ([], "--help"),
    "wrong word": (["validate", "s.yaml", "train.csv", "--fail-on", "never"], "--fail-on"),
}


@pytest.mark.parametrize(("arguments", "words"), ERRORS.values(), ids=ERRORS)
def test_errors_are_one_line_and_code_2(schema, files, drift_detector, monkeypatch, arguments, words):
    """And no input is overwritten."""
    monkeypatch.chdir(files)
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    ran = drift_detector("schema", *arguments)

    assert ran.code == 2, ran
    assert ran.err.count("\n") == 1, ran.err
    assert words in ran.err
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before
