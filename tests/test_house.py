"""The rules of the house: sizes, clocks, documentation. Layers are checked by import-linter."""

import argparse
import ast
import re
from pathlib import Path

import pytest

import detector
from detector.batch import REJECT_REASONS
from detector.cli import COMMANDS
from detector.drift.limits import STATISTICS
from detector.metrics import DURATION, EVALUATED, RUNNING

ROOT = Path(detector.__file__).parents[1]
SOURCES = sorted((ROOT / "detector").rglob("*.py"))
ALL = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "tools").rglob("*.py"))]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_files_and_functions_stay_small(path):
    """A file has at most 400 lines, a function's body at most 50 without its docstring."""
    text = path.read_text()
    assert text.count("\n") <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert length <= MAX_FUNCTION_LINES, f"{node.name}: {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_only_clock_reads_a_clock(path):
    """No other module imports time, or asks datetime what time it is."""
    text = path.read_text()
    if path.name != "clock.py":
        assert not re.search(r"^\s*(import time\b|from time import)", text, re.MULTILINE)
        assert not re.search(r"\b(datetime|date)\.(now|utcnow|today)\(", text)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_module_says_what_it_is_for(path):
    """A module starts with a docstring, unless it is empty."""
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree)


def test_no_pickle_anywhere():
    """Nothing that could run code is read from a file."""
    for path in SOURCES:
        assert not re.search(r"^\s*(import|from) (pickle|marshal|shelve)\b", path.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def readme():
    return (ROOT / "README.md").read_text()


@pytest.mark.parametrize("family", [*EVALUATED, *RUNNING, DURATION], ids=lambda family: family.name)
def test_every_metric_is_in_the_readme(readme, family):
    """Under the name that Prometheus shows."""
    ending = {"counter": "_total", "info": "_info"}.get(family.type, "")
    assert f"`{family.name}{ending}`" in readme


@pytest.mark.parametrize("name", [*STATISTICS, *REJECT_REASONS])
def test_every_statistic_and_reject_reason_is_in_the_readme(readme, name):
    """With a word on what it means."""
    assert f"`{name}`" in readme


def test_every_kind_of_anomaly_is_in_the_documentation():
    """With the rule that yields it; and nothing is documented that no rule yields."""
    families = "SCHEMA|FEATURE|ENUM|INT|FLOAT|BOOL|COMPARATOR|DATASET|DOMAIN|INVALID|UNEXPECTED"
    kind = re.compile(rf"\b(?:{families})_[A-Z][A-Z_]+[A-Z]\b")
    rules = "".join(path.read_text() for path in (ROOT / "detector" / "schema").glob("*rules.py"))
    rules += (ROOT / "detector" / "schema" / "validate.py").read_text()
    # Those that are put together of parts.
    put_together = {f"{of}_TYPE_{end}_{of}" for of in ("INT", "FLOAT") for end in ("SMALL", "BIG")}
    yielded = set(kind.findall(rules)) - {"INT_TYPE", "FLOAT_TYPE", "DOMAIN_RULES"} | put_together
    table = (ROOT / "docs" / "schema.md").read_text().split("## The rules")[1].split("\n## ")[0]

    assert set(kind.findall(table)) == yielded


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_in_the_readme(readme, command):
    """An option that is not documented is not there."""
    import importlib

    parser = argparse.ArgumentParser()
    importlib.import_module(f"detector.cli.{command.replace('-', '_')}").add_arguments(parser)
    for option in _options(parser):
        assert option in readme, f"{command} {option}"


def _options(parser: argparse.ArgumentParser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _options(sub)
        else:
            yield from (o for o in action.option_strings if o.startswith("--") and o != "--help")
