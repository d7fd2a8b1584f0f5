"""Schema files: what is wrong is told with its line and a remedy, and large ones are read in seconds."""

import pytest

from detector.config.schema_file import KIND, InvalidSchemaError, load_schema
from detector.errors import InputError
from detector.schema import BoolDomain, FeatureSchema, Pattern, Presence, Range, RowLimits, Schema, Values

HEAD = "format: streaming-drift-detector schema\nformat_version: 1\n"


def _load(tmp_path, text, name="s.yaml"):
    path = tmp_path / name
    if isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text, encoding="utf-8")
    return load_schema(path)


def _problems(tmp_path, text, name="s.yaml"):
    """Return what is wrong, after the name of the file."""
    with pytest.raises(InputError) as caught:
        _load(tmp_path, text, name)
    problems = caught.value.problems if isinstance(caught.value, InvalidSchemaError) else (str(caught.value),)
    assert caught.value.exit_code == 2
    assert all(problem.isprintable() for problem in problems)
    assert str(caught.value).startswith(problems[0])
    return [problem.removeprefix(f"{tmp_path / name}:") for problem in problems]


EVERY_KEY = """\
rows: {min: 1, max: 9, previous_min_ratio: 1, previous_max_ratio: 2.5}
environments: [A, B]
rules: tfdv
features:
  a:
    type: int
    presence: {min_fraction: 1, min_count: 2}
    range: {min: 0, max: 9223372036854775807}
    unique: {min: 1, max: 3}
    min_share: 0.5
    allow_nan: false
    allow_infinite: false
    one_value_a_row: true
    in_environments: [C]
    not_in_environments: [A]
    role: timestamp
    lifecycle: alpha
    drift: {l_infinity: 1, jensen_shannon: 0.1, normalized_absolute_difference: 0.2}
    skew: {l_infinity: 0.3}
    proposed: [presence, domain, non_finite]
  b: {type: string, values: [x, 'no', '1']}
  c: {type: int, values: [1, 2]}
  d: {type: float, range: {min: 0.5}}
  e: {type: string, range: {max: 5}}
  f: {type: string, bool: {true: y, false: n}}
  g: {type: bool, bool: {}}
  h: {type: string, pattern: '[a-z]+'}
  i: {type: null, domain_name: x}
"""


def test_every_key_is_read(tmp_path):
    """Into the model that the rules read."""
    schema = _load(tmp_path, HEAD + EVERY_KEY)

    assert schema.rows == RowLimits(1, 9, 1.0, 2.5)
    assert (schema.environments, schema.rules, schema.note) == (("A", "B"), "tfdv", None)
    assert schema.features["a"] == FeatureSchema(
        "int",
        Presence(1.0, 2),
        Range(0, (1 << 63) - 1, "int"),
        None,
        0.5,
        1,
        3,
        False,
        False,
        True,
        ("C",),
        ("A",),
        "timestamp",
        "alpha",
        {"l_infinity": 1.0, "jensen_shannon": 0.1, "normalized_absolute_difference": 0.2},
        {"l_infinity": 0.3},
        frozenset({"presence", "domain", "non_finite"}),
    )
    assert {name: f.domain for name, f in schema.features.items() if name != "a"} == {
        "b": Values(("x", "no", "1")),
        "c": Values((1, 2)),
        "d": Range(0.5),
        "e": Range(None, 5, "float"),
        "f": BoolDomain("y", "n"),
        "g": BoolDomain(),
        "h": Pattern("[a-z]+"),
        "i": None,
    }


@pytest.mark.parametrize(
    "feature",
    [
        "{type: int, presence: {min_fraction: 1.5, min_count: -1}}",
        "{type: bool, range: {min: 1, max: 0}}",
        "{type: string, values: [1, 2]}",
        "{type: int, pattern: x}",
        "{type: string, values: [a, a], min_share: 7}",
    ],
)
def test_what_makes_no_sense_is_for_the_rules(tmp_path, feature):
    """They report it as an anomaly of the schema, as TFDV does."""
    assert _load(tmp_path, f"{HEAD}features: {{x: {feature}}}").features


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        pytest.param("{}", "x.type: required, but not there; add `type:`", id="no type"),
        pytest.param(
            "{type: integer}",
            "x.type: expected int, float, string or bool (found 'integer'); did you mean 'int'?",
            id="type",
        ),
        pytest.param("{tpye: int}", "x.tpye: unknown key 'tpye'; did you mean 'type'? (allowed: ", id="key"),
        pytest.param(
            "{type: int, range: {mim: 1}}",
            "x.range.mim: unknown key 'mim'; did you mean 'min'? (allowed: min, max, of)",
            id="key of a range",
        ),
        pytest.param(
            "{type: int, drift: {wasserstein: 1}}",
            "x.drift.wasserstein: unknown key 'wasserstein'; allowed: l_infinity, jensen_shannon, "
            "normalized_absolute_difference",
            id="distance",
        ),
        pytest.param("int", "x: expected a mapping (found 'int'); write `key: value` lines", id="no mapping"),
        pytest.param(
            "{type: int, presence: {min_count: 0.5}}",
            "x.presence.min_count: expected a whole number (found 0.5); ",
            id="fraction of a row",
        ),
        pytest.param(
            "{type: int, range: {min: '1'}}",
            "x.range.min: expected a number (found '1'); write it like 10 or 0.1",
            id="text for a number",
        ),
        pytest.param(
            "{type: int, allow_nan: no}",
            "x.allow_nan: expected true or false (found 'no'); write true or false, without quotes",
            id="no truth value",
        ),
        pytest.param(
            "{type: string, values: [a, 1]}",
            "x.values.1: a number among texts (found 1); put it in quotes",
            id="a number among texts",
        ),
        pytest.param(
            "{type: string, values: [a, true]}",
            "x.values.1: expected a text or a whole number (found true); put it in quotes",
            id="a truth value among texts",
        ),
        pytest.param(
            "{type: string, values: a}", "x.values: expected a list (found 'a'); write it like", id="no list"
        ),
        pytest.param(
            "{type: string, values: [a], pattern: b}",
            "x.pattern: a second domain beside values (found 'b'); keep one of them",
            id="two domains",
        ),
        pytest.param(
            "{type: string, pattern: '[a'}",
            "x.pattern: not a regular expression, unterminated character set at position 0 (found '[a'); "
            "correct it",
            id="pattern",
        ),
        pytest.param(
            "{type: string, pattern: '" + "(" * 5000 + ")" * 5000 + "'}",
            "x.pattern: not a regular expression, ",
            id="deep pattern",
        ),
        pytest.param(
            "{type: int, proposed: [domains]}",
            "x.proposed.0: expected presence, domain or non_finite (found 'domains'); did you mean 'domain'?",
            id="rule",
        ),
        pytest.param(
            "{type: int, role: idd}",
            "x.role: expected feature, id, free_text or timestamp (found 'idd'); did you mean 'id'?",
            id="role",
        ),
    ],
)
def test_what_is_wrong_with_a_feature_is_told_with_its_line(tmp_path, feature, problem):
    """What, where, what was found, and the remedy."""
    (found,) = _problems(tmp_path, f"{HEAD}features:\n  x: {feature}\n")

    assert found.startswith(f"4: features.{problem}")


def test_everything_that_is_wrong_is_told_in_the_order_of_the_lines(tmp_path):
    """One does not mend a file problem by problem; the first stands in the message."""
    text = (
        f"{HEAD}features:\n  a: {{type: x}}\n  token: {{type: int, role: secret word}}\n  b: {{typ: int}}\n"
    )

    found = _problems(tmp_path, text)

    assert [line.split(":")[0] for line in found] == ["4", "5", "6"]
    assert "secret word" in found[1]
    with pytest.raises(InvalidSchemaError, match=r"\(and 2 more\)$"):
        _load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "", "1: empty; infer a first schema from data with `drift-detector schema infer`", id="empty"
        ),
        pytest.param("- a\n", "1: a list instead of a mapping; write `key: value` lines", id="list"),
        pytest.param(
            "\nsource: {kind: kafka}\n",
            "2: no schema, for it has no `format`; "
            "if it is one, add `format: streaming-drift-detector schema`",
            id="configuration",
        ),
        pytest.param(
            "format: drift-baseline\n",
            "1: format: not a schema (found 'drift-baseline'); "
            "name one with `format: streaming-drift-detector schema`",
            id="other format",
        ),
        pytest.param(
            HEAD.replace("1", "2") + "of_tomorrow: 1\n",
            "2: format_version: newer than this version reads (found 2, reads 1); update the detector",
            id="newer",
        ),
        pytest.param(
            HEAD.replace("1", "'1'") + "features: {a: {type: int}}",
            "2: format_version: expected a whole number (found '1'); ",
            id="version in quotes",
        ),
        pytest.param(HEAD, "1: features: required, but not there; add `features:`", id="no features"),
        pytest.param(
            HEAD + "features: {}",
            "3: features: holds no feature; infer a first schema from data with",
            id="no feature",
        ),
        pytest.param(HEAD + "features:\n", "3: features: expected a mapping (found nothing); ", id="nothing"),
        pytest.param(
            HEAD + "features: {a: {type: int}}\nfeature: {}\n",
            "4: feature: unknown key 'feature'; did you mean 'features'? (allowed: ",
            id="unknown key",
        ),
        pytest.param(
            HEAD + "rows: {min: many}\nfeatures: {a: {type: int}}",
            "3: rows.min: expected a whole number (found 'many'); ",
            id="rows",
        ),
        pytest.param(
            HEAD + "features:\n  a: {type: int}\n  a: {type: int}\n",
            "5: key 'a' stands twice, first on line 4; remove one",
            id="feature twice",
        ),
        pytest.param(
            HEAD + "features:\n\ta: 1\n", "4: not valid YAML: a tab where there may be none; ", id="tab"
        ),
        pytest.param(
            HEAD + "features: {a: {range: {min: 1e999}}}", "3: a number too large to handle; ", id="1e999"
        ),
        pytest.param(b"\x93NUMPY\x01\x00", "1: byte 0x93 is not UTF-8; save the file as UTF-8", id="binary"),
        pytest.param(b"\x00\x01", "1: character #x0000 is not allowed in YAML; remove it", id="NUL bytes"),
    ],
)
def test_a_file_that_is_no_schema_says_what_it_is(tmp_path, text, problem):
    """One line, with the remedy."""
    (found,) = _problems(tmp_path, text)

    assert found.startswith(problem)


@pytest.mark.parametrize("suffix", [".pbtxt", ".prototxt", ".txt", ".PBTXT"])
def test_schemas_of_tfdv_are_known_by_their_ending(tmp_path, suffix):
    """And are judged as TFDV does."""
    schema = _load(tmp_path, 'feature { name: "é" type: INT }', f"s{suffix}")

    assert schema == Schema({"é": FeatureSchema("int")}, rules="tfdv")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        pytest.param("s.pbtxt", "", "1: no feature that a table can have; infer a first schema", id="empty"),
        pytest.param("s.pbtxt", b"\xff", "1: byte 0xff is not UTF-8; save the file as UTF-8", id="binary"),
        pytest.param(
            "s.pbtxt", "feature {\n", "2: the file ends inside a message; close it with }", id="cut"
        ),
        pytest.param(
            "s.json", "{}", " unknown kind of schema; name a .yaml file, or a .pbtxt of TFDV's", id="kind"
        ),
    ],
)
def test_other_files_are_refused_in_a_line(tmp_path, name, text, problem):
    """With the remedy."""
    (found,) = _problems(tmp_path, text, name)

    assert found.startswith(problem)


@pytest.mark.parametrize("name", ["none.yaml", "none.pbtxt", "none"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    """Whatever it is to be."""
    with pytest.raises(InputError, match=r"no such file; name a schema file, such as schema\.yaml$"):
        load_schema(tmp_path / name)


def test_a_directory_is_no_file(tmp_path):
    """A mount that became a directory is named as one."""
    with pytest.raises(InputError, match=r"a directory; name a schema file$"):
        load_schema(tmp_path)


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    """A name that is mistaken for a schema may be of any size."""
    with (tmp_path / "s.yaml").open("wb") as file:
        file.truncate(KIND.max_bytes + 1)

    with pytest.raises(InputError, match="67108865 bytes, more than 67108864; name a schema file"):
        load_schema(tmp_path / "s.yaml")
