"""YAML as people mean it: plain data, and the line on which every key stands.

YAML 1.1, which PyYAML reads, has surprises: `no` is false, `22:22` is 1342, `010` is 8, a date is an
object, aliases multiply, and a tag may name code. Here a scalar is a number only if it looks like one
in JSON, a boolean only if it is `true` or `false`, nothing only if it is `null`, `~` or empty, and
text in every other case. Aliases, tags, merge keys, duplicate keys and second documents are refused.
"""

import hashlib
import math
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from detector.config.problems import InvalidConfigError, KeyPath
from detector.printable import escaped

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
_MIN_READ_BYTES = 64 << 10
"""Files of the kernel (/proc, /sys) say that they are empty."""
MAX_VALUES = 100_000
"""Reading these takes some seconds; a thousand features, each with settings, are a tenth of them."""

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_TAG = "tag:yaml.org,2002:"
RESOLVERS = (
    ("bool", re.compile(r"(?:true|false)$"), list("tf")),
    ("int", re.compile(rf"(?:{_INT.pattern})$"), list("-+0123456789")),
    ("float", re.compile(rf"(?:{_FLOAT.pattern})$"), list("-+.0123456789")),
    ("null", re.compile(r"(?:~|null|)$"), ["~", "n", ""]),
)
"""What a plain scalar may be other than text: (type, pattern, first characters)."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """What sort of file is read: what it may hold, and what messages name instead of a wrong one."""

    name: str
    example: str
    content: str
    """What an empty file lacks."""
    form: str = "YAML file"
    max_bytes: int = MAX_BYTES
    max_values: int = MAX_VALUES
    allows_nul: bool = False
    """Whether a text may hold NUL: data may, no setting does."""


CONFIGURATION = FileKind("configuration file", "config/sidecar.yaml", "give at least `source` and `models`")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it."""

    name: str
    """The file as the user named it."""
    content: dict[str, Any]
    lines: dict[KeyPath, int]
    """Path of a key or list item -> its line, counted from 1; () is the top."""
    sha256: str
    """Of the file's bytes."""


class _RefusedError(Exception):
    """What was found is YAML, but not for here."""

    def __init__(self, message: str, line: int) -> None:
        self.message = message
        self.line = line


class _Composer(Composer, BaseResolver):
    """Composes nodes and refuses what plain data do not need."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own way to start without any

    def __init__(self, kind: FileKind) -> None:
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._kind = kind
        self._depth = 0
        self._n = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node, unless it is of a sort that is refused."""
        event: Any = self.peek_event()  # type: ignore[attr-defined]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(f"alias *{event.anchor}; write the value out", line)
        if event.anchor is not None:
            raise _RefusedError(f"anchor &{event.anchor}; remove it and write repeated values out", line)
        if event.tag is not None:
            tag = event.tag.replace(_TAG, "!!")
            raise _RefusedError(f"tag {tag}; remove it, values here need none", line)
        self._n += 1
        if self._n > self._kind.max_values:
            raise _RefusedError(f"more than {self._kind.max_values} keys and values; shorten the file", line)
        if self._depth >= MAX_DEPTH:
            raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels; flatten it", line)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _name, _pattern, _first in RESOLVERS:
    _Composer.add_implicit_resolver(_TAG + _name, _pattern, _first)


class _Loader(_Composer, Reader, Scanner, Parser):
    """PyYAML's own parser: its messages are the better ones."""

    def __init__(self, text: str, kind: FileKind) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        _Composer.__init__(self, kind)


if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class _FastLoader(_Composer, CParser):
        """libyaml's parser: several times as fast."""

        def __init__(self, text: str, kind: FileKind) -> None:
            CParser.__init__(self, text)
            _Composer.__init__(self, kind)


def _compose(text: str, kind: FileKind) -> yaml.Node | None:
    if yaml.__with_libyaml__:
        try:
            return _FastLoader(text, kind).get_single_node()
        except (yaml.YAMLError, ValueError, OverflowError):
            # PyYAML says better what is wrong; with a large file it would take minutes to say it.
            if len(text) > MAX_BYTES:
                raise
    return _Loader(text, kind).get_single_node()


def read_yaml(path: str | Path, kind: FileKind = CONFIGURATION) -> Document:
    """Read a file of one mapping.

    Raises:
        InvalidConfigError: it cannot be read, or is not one mapping of plain data.
    """
    name = escaped(str(path))
    data = _read(Path(path), name, kind)
    return _document(_decoded(data, name), name, kind, hashlib.sha256(data).hexdigest())


def read_text(path: str | Path, kind: FileKind) -> str:
    """Read a file of UTF-8.

    Raises:
        InvalidConfigError: it cannot be read.
    """
    name = escaped(str(path))
    return _decoded(_read(Path(path), name, kind), name)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        message = f"{name}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
    raise InvalidConfigError([message], name)


def _read(path: Path, name: str, kind: FileKind) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            message = f"{name}: {what}; name a {kind.form}"
        elif status.st_size > kind.max_bytes:
            message = f"{name}: {status.st_size} bytes, more than {kind.max_bytes}; name a {kind.name}"
        else:
            with path.open("rb") as file:
                # Room for all that was asked for is made at once, however little there is.
                return file.read(min(kind.max_bytes, max(status.st_size, _MIN_READ_BYTES)))
    except FileNotFoundError:
        message = f"{name}: no such file; name a {kind.name}, such as {kind.example}"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"{name}: cannot be read ({reason}); name a readable {kind.form}"
    raise InvalidConfigError([message], name)


def _document(text: str, name: str, kind: FileKind, sha256: str) -> Document:
    lines: dict[KeyPath, int] = {}
    content = parse_yaml(text, lambda line: f"{name}:{line}", lines, kind)
    if isinstance(content, dict):
        return Document(name, content, lines, sha256)
    if content is None:
        found = f"empty; {kind.content}"
    else:
        what = "a list" if isinstance(content, list) else "a single value"
        found = f"{what} instead of a mapping; write `key: value` lines"
    raise InvalidConfigError([f"{name}:{lines.get((), 1)}: {found}"], name)


def parse_yaml(
    text: str,
    where: Callable[[int], str],
    lines: dict[KeyPath, int] | None = None,
    kind: FileKind = CONFIGURATION,
) -> Any:
    """Return what a YAML text says, as dicts, lists and scalars; None if it says nothing.

    `where` says how a line of the text is named in messages; `lines` is filled with the line of each
    path.

    Raises:
        InvalidConfigError: it is not YAML, or of a sort that is refused.
    """
    lines = {} if lines is None else lines
    try:
        node = _compose(text, kind)
        return None if node is None else _Builder(lines, kind.allows_nul).plain(node, (), _line(node))
    except _RefusedError as error:
        line, message = error.line, error.message
    except yaml.YAMLError as error:
        line, message = _syntax(error, text)
    except (ValueError, OverflowError):
        # PyYAML hands the number of an escape such as "\U00110000" to chr() unchecked.
        line, message = 1, "escape of a character that does not exist; remove it"
    raise InvalidConfigError([f"{where(line)}: {escaped(message)}"])


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line and the message of a syntax error."""
    odd = Reader.NON_PRINTABLE.search(text) if isinstance(error, yaml.reader.ReaderError) else None
    if odd is not None:
        line = text.count("\n", 0, odd.start()) + 1
        return line, f"character #x{ord(odd[0]):04x} is not allowed in YAML; remove it"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return 1, f"not valid YAML: {error}; mend the syntax"
    line = error.problem_mark.line + 1
    if error.context == "expected a single document in the stream":
        return line, "a second document begins; keep one document a file"
    if "'\\t'" in (error.problem or ""):
        return line, "not valid YAML: a tab where there may be none; indent with spaces"
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return line, f"not valid YAML: {said}; check indentation, brackets and quotes up to here"


@dataclass(frozen=True, slots=True)
class _Builder:
    """Makes plain data of nodes, and notes the line of each path."""

    lines: dict[KeyPath, int]
    allows_nul: bool

    def plain(self, node: yaml.Node, path: KeyPath, line: int) -> Any:
        """Return a node's value; note that it is named on `line`."""
        self.lines[path] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, i), _line(item)) for i, item in enumerate(node.value)]
        return _scalar(node, self._text(node))

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                raise _RefusedError("a key that is a list or a mapping; write keys as text", line)
            # Whatever a key looks like, it is text: a feature may be called `no` or `1`.
            key = self._text(key_node)
            if key == "<<" and not key_node.style:
                raise _RefusedError("merge key <<; write the settings out", line)
            if key in out:
                first = self.lines[*path, key]
                raise _RefusedError(f"key {key!r} stands twice, first on line {first}; remove one", line)
            out[key] = self.plain(value_node, (*path, key), line)
        return out

    def _text(self, node: yaml.Node) -> str:
        value: str = node.value
        if _SURROGATE.search(value) or ("\0" in value and not self.allows_nul):
            raise _RefusedError("text with a NUL or half a character; remove it", _line(node))
        return value


def _scalar(node: yaml.Node, value: str) -> str | int | float | bool | None:
    match node.tag.removeprefix(_TAG):
        case "bool":
            return value == "true"
        case "int":
            # 19 digits may be more than 64 bits hold; such a number is a float.
            return int(value) if -(1 << 63) <= int(value) < 1 << 63 else float(value)
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
