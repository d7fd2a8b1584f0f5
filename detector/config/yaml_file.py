"""YAML as people mean it: plain data, and the line on which every key stands.

YAML 1.1, which PyYAML reads, has surprises: `no` is false, `22:22` is 1342, `010` is 8, a date is an
object, aliases multiply, and a tag may name code. Here a scalar is a number only if it looks like one
in JSON, a boolean only if it is `true` or `false`, nothing only if it is `null`, `~` or empty, and
text in every other case. Aliases, tags, merge keys, duplicate keys and second documents are refused.
"""

import math
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from detector.config.problems import InvalidConfigError, KeyPath, printable

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_VALUES = 100_000
"""Reading these takes some seconds; a thousand features, each with settings, are a tenth of them."""

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SURROGATE = re.compile(r"[\ud800-\udfff\x00]")

_TAG = "tag:yaml.org,2002:"
RESOLVERS = (
    ("bool", re.compile(r"(?:true|false)$"), list("tf")),
    ("int", re.compile(rf"(?:{_INT.pattern})$"), list("-+0123456789")),
    ("float", re.compile(rf"(?:{_FLOAT.pattern})$"), list("-+.0123456789")),
    ("null", re.compile(r"(?:~|null|)$"), ["~", "n", ""]),
)
"""What a plain scalar may be other than text: (type, pattern, first characters)."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it."""

    name: str
    """The file as the user named it."""
    content: dict[str, Any]
    lines: dict[KeyPath, int]
    """Path of a key or list item -> its line, counted from 1; () is the top."""


class _RefusedError(Exception):
    """What was found is YAML, but not for here."""

    def __init__(self, message: str, line: int) -> None:
        self.message = message
        self.line = line


class _Loader(yaml.SafeLoader):
    """Composes nodes and refuses what plain data do not need."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own way to start without any

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._n = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node, unless it is of a sort that is refused."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(f"alias *{event.anchor}; write the value out", line)
        if event.anchor is not None:
            raise _RefusedError(f"anchor &{event.anchor}; remove it and write repeated values out", line)
        if event.tag is not None:
            tag = event.tag.replace(_TAG, "!!")
            raise _RefusedError(f"tag {tag}; remove it, values here need none", line)
        self._n += 1
        if self._n > MAX_VALUES:
            raise _RefusedError(f"more than {MAX_VALUES} keys and values; shorten the file", line)
        if self._depth >= MAX_DEPTH:
            raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels; flatten it", line)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _name, _pattern, _first in RESOLVERS:
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, _first)


def read_yaml(path: str | Path) -> Document:
    """Read a configuration file.

    Raises:
        InvalidConfigError: it cannot be read, or is not one mapping of plain data.
    """
    name = printable(str(path))
    data = _read(Path(path), name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        message = f"{name}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
    else:
        return _document(text, name)
    raise InvalidConfigError([message], name)


def _read(path: Path, name: str) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            message = f"{name}: {what}; name a YAML file"
        elif status.st_size > MAX_BYTES:
            message = f"{name}: {status.st_size} bytes, more than {MAX_BYTES}; name a configuration file"
        else:
            with path.open("rb") as file:
                return file.read(MAX_BYTES)
    except FileNotFoundError:
        message = f"{name}: no such file; name a configuration file, such as config/sidecar.yaml"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"{name}: cannot be read ({reason}); name a readable YAML file"
    raise InvalidConfigError([message], name)


def _document(text: str, name: str) -> Document:
    lines: dict[KeyPath, int] = {}
    content = parse_yaml(text, lambda line: f"{name}:{line}", lines)
    if isinstance(content, dict):
        return Document(name, content, lines)
    if content is None:
        found = "empty; give at least `source` and `models`"
    else:
        what = "a list" if isinstance(content, list) else "a single value"
        found = f"{what} instead of a mapping; write `key: value` lines"
    raise InvalidConfigError([f"{name}:{lines.get((), 1)}: {found}"], name)


def parse_yaml(text: str, where: Callable[[int], str], lines: dict[KeyPath, int] | None = None) -> Any:
    """Return what a YAML text says, as dicts, lists and scalars; None if it says nothing.

    `where` says how a line of the text is named in messages; `lines` is filled with the line of each
    path.

    Raises:
        InvalidConfigError: it is not YAML, or of a sort that is refused.
    """
    lines = {} if lines is None else lines
    try:
        node = _Loader(text).get_single_node()
        return None if node is None else _plain(node, (), lines, node.start_mark.line + 1)
    except _RefusedError as error:
        line, message = error.line, error.message
    except yaml.YAMLError as error:
        line, message = _syntax(error, text)
    except (ValueError, OverflowError):
        # PyYAML hands the number of an escape such as "\U00110000" to chr() unchecked.
        line, message = 1, "escape of a character that does not exist; remove it"
    raise InvalidConfigError([f"{where(line)}: {printable(message)}"])


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line and the message of a syntax error."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return line, f"character #x{error.character:04x} is not allowed in YAML; remove it"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return 1, f"not valid YAML: {error}; mend the syntax"
    line = error.problem_mark.line + 1
    if error.context == "expected a single document in the stream":
        return line, "a second document begins; keep one document a file"
    if "'\\t'" in (error.problem or ""):
        return line, "not valid YAML: a tab where there may be none; indent with spaces"
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return line, f"not valid YAML: {said}; check indentation, brackets and quotes up to here"


def _plain(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], line: int) -> Any:
    """Return a node's value; note in `lines` that it is named on `line`."""
    lines[path] = line
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, (*path, i), lines, item.start_mark.line + 1) for i, item in enumerate(node.value)
        ]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: KeyPath, lines: dict[KeyPath, int]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise _RefusedError("a key that is a list or a mapping; write keys as text", line)
        # Whatever a key looks like, it is text: a feature may be called `no` or `1`.
        key = _text(key_node)
        if key == "<<" and key_node.style is None:
            raise _RefusedError("merge key <<; write the settings out", line)
        if key in out:
            first = lines[*path, key]
            raise _RefusedError(f"key {key!r} stands twice, first on line {first}; remove one", line)
        out[key] = _plain(value_node, (*path, key), lines, line)
    return out


def _text(node: yaml.Node) -> str:
    value: str = node.value
    if _SURROGATE.search(value):
        raise _RefusedError("text with a NUL or half a character; remove it", node.start_mark.line + 1)
    return value


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    value = _text(node)
    match node.tag.removeprefix(_TAG):
        case "bool":
            return value == "true"
        case "int":
            return int(value)
        case "float":
            number = float(value)
            if not math.isfinite(number):
                raise _RefusedError("a number too large to handle; write a smaller one", _line(node))
            return number
        case "null":
            return None
        case _:
            return value


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
