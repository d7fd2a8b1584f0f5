"""Large schema files: read in seconds, by libyaml, which reads what PyYAML does."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.config import yaml_file
from detector.config.problems import InvalidConfigError
from detector.config.schema_file import KIND, InvalidSchemaError, load_schema
from detector.config.yaml_file import MAX_BYTES, parse_yaml
from detector.report.schema import FORMAT, schema_yaml
from detector.schema import FeatureSchema, Presence, Range, Schema, Values


def _refusal(tmp_path, text):
    """Return what is wrong, after the name of the file."""
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSchemaError) as caught:
        load_schema(path)
    (problem,) = caught.value.problems
    return problem.removeprefix(f"{path}:")


def test_ten_thousand_features_are_read_in_seconds(tmp_path):
    """More than the configuration may hold, by far."""
    closed = Values(tuple(f"value {i}" for i in range(30)))
    numeric = FeatureSchema("int", Presence(1.0, 1), Range(0, 100, "int"), proposed=frozenset(["domain"]))
    features = {
        f"feature {i}": numeric if i % 2 else FeatureSchema("string", domain=closed) for i in range(10_000)
    }
    text = schema_yaml(Schema(features))

    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")

    start = time.perf_counter()
    schema = load_schema(path)

    assert time.perf_counter() - start < 20.0
    assert len(text) > MAX_BYTES
    assert schema.features == features


def test_an_error_in_a_large_file_is_found_in_seconds_too(tmp_path):
    """On the right line, also where a character or the syntax is wrong."""
    good = f"format: {FORMAT}\nfeatures:\n" + "  # é\n" * (MAX_BYTES // 6) + "  a: {type: int}\n"
    n_lines = good.count("\n")

    odd = _refusal(tmp_path, good + "  b: \x07\n")
    syntax = _refusal(tmp_path, good + "  b: ]\n")

    assert odd == f"{n_lines + 1}: character #x0007 is not allowed in YAML; remove it"
    assert syntax.startswith(f"{n_lines + 1}: not valid YAML: ")


def _reading(text):
    """Return what a text says and where, None if it is refused."""
    lines = {}
    try:
        content = parse_yaml(text, str, lines, KIND)
    except InvalidConfigError:
        return None
    return content, lines if content is not None else {}


PIECES = ["a", "b: ", "- ", "'q'", '"\\x41"', "\n", "\n  ", "{", "}", "[", "]", ", ", ": ", "? ", "# c\n"]
PIECES += [
    "|\n  t\n",
    ">-\n   k\n  l\n",
    " ",
    "1e5",
    "~",
    "---\n",
    "!",
    "&a ",
    "*a",
    "é",
    "\x85",
    "😀",
    "\r\n",
]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_libyaml_reads_what_pyyaml_does(text):
    """Which of them there is, is a matter of speed: content and lines do not depend on it."""
    fast = _reading(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_file.yaml, "__with_libyaml__", False)
        slow = _reading(text)

    # libyaml also takes some texts that PyYAML refuses, such as one with a tab inside.
    assert slow in (fast, None)
