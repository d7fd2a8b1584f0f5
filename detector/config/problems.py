"""What is wrong with a configuration, as people read it: one line a problem, with its place and remedy.

    FILE:LINE: path.to.key: what is wrong (found ...); remedy

Secrets never stand in a message.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from detector.errors import ConfigError
from detector.printable import escaped

KeyPath = tuple[str | int, ...]

HIDDEN = "<hidden>"
MAX_PROBLEMS = 50
"""More are not worked out: whoever sees fifty begins at the first."""

_SECRET_KEY = re.compile(r"(?:password|passwd|token|secret)$", re.IGNORECASE)
_URL_SECRET = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_PLAIN_KEY = re.compile(r"[\w*?-]{1,60}")


class InvalidConfigError(ConfigError):
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[str], name: str = "FILE") -> None:
        self.problems = tuple(problems)
        """All of them, one line each."""
        more = len(problems) - 1
        rest = f" (and {more} more: run `drift-detector check-config {name}`)" if more else ""
        super().__init__(self.problems[0] + rest)


@dataclass(slots=True)
class Draft:
    """A configuration that is not checked yet: what it says, and what said so."""

    name: str
    content: dict[str, Any]
    lines: dict[KeyPath, int]
    """Where the file says it."""
    variables: dict[KeyPath, str] = field(default_factory=dict)
    """What environment variables say instead."""

    def set(self, path: KeyPath, value: Any, variable: str) -> None:
        """Put `value` at `path`, whatever stood there; mappings and lists on the way are made."""
        node: Any = self.content
        for i, (key, following) in enumerate(pairwise(path), 1):
            child = look_up(node, (key,))
            if not isinstance(child, list if isinstance(following, int) else dict):
                child = [] if isinstance(following, int) else {}
                _put(node, key, child)
                self.variables[path[:i]] = variable
            node = child
        _put(node, path[-1], value)
        self.lines = {p: line for p, line in self.lines.items() if p[: len(path)] != path}
        self.variables[path] = variable

    def get(self, path: KeyPath) -> Any:
        """Return what stands at `path`, None if nothing does."""
        return look_up(self.content, path)

    def origin(self, path: KeyPath) -> tuple[int, str]:
        """Return what says so: the line (0 for the environment) and its name."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.variables:
                return 0, self.variables[path[:length]]
            if path[:length] in self.lines:
                line = self.lines[path[:length]]
                return line, f"{self.name}:{line}"
        return 1, f"{self.name}:1"


def look_up(content: Any, path: KeyPath) -> Any:
    """Return what stands at `path` of some content, None if nothing does."""
    for key in path:
        content = content[key] if has(content, key) else None
    return content


def has(node: Any, key: str | int) -> bool:
    """Whether `node` is a mapping or a list that has something at `key`."""
    if isinstance(node, dict):
        return key in node
    return isinstance(node, list) and isinstance(key, int) and key < len(node)


def _put(node: Any, key: str | int, value: Any) -> None:
    if isinstance(node, list) and key == len(node):
        node.append(value)
    else:
        node[key] = value


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, at its place."""

    path: KeyPath
    message: str


def placed(problems: Iterable[Problem], draft: Draft) -> list[tuple[int, str]]:
    """Return the first problem of each place as its line number (0: the environment) and its text."""
    first: dict[KeyPath, Problem] = {}
    for problem in problems:
        first.setdefault(problem.path, problem)
    out = []
    for path, problem in first.items():
        line, where = draft.origin(path)
        at = f"{where}: {dotted(path)}" if path else where
        out.append((line, escaped(masked(f"{at}: {problem.message}"))))
    return out


def dotted(path: KeyPath) -> str:
    """Return a path as people write it: `models.0.features."x y"`."""
    return ".".join(str(k) if _PLAIN_KEY.fullmatch(str(k)) else shown(str(k)) for k in path)


def variable_of(path: KeyPath) -> str:
    """Return the environment variable that sets the value at `path`."""
    return "DRIFT_" + "__".join(str(key).upper() for key in path)


def is_secret_key(key: str | int | None) -> bool:
    """Whether what stands under this key is a secret; `password_file` is the name of a file, and none."""
    return isinstance(key, str) and _SECRET_KEY.search(key) is not None


def carries_secret(text: str) -> bool:
    """Whether a text is a URL with a user or a password in it."""
    return _URL_SECRET.search(text) is not None


def masked(text: str, instead: str = HIDDEN) -> str:
    """Return `text` without the user and password of a URL."""
    return _URL_SECRET.sub(instead, text)


def shown(value: object) -> str:
    """Return a value as it stands in messages: short, in one line, without secrets."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        text = masked(value)
        return repr(text if len(text) <= 60 else text[:57] + "...")
    empty = "" if value else "n empty"
    return f"a{empty} mapping" if isinstance(value, dict) else f"a{empty} list"


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that `word` is likely to be meant for, None if none is near."""
    if not isinstance(word, str):
        return None
    close = difflib.get_close_matches(word[:64].lower(), list(known), n=1)
    return close[0] if close else None


def suggestion(word: object, known: Sequence[str]) -> str:
    """Return the remedy for a word that is none of the known ones, with its leading `; `."""
    near = nearest(word, known)
    if near is not None:
        return f"; did you mean {near!r}? (allowed: {', '.join(known)})"
    return f"; allowed: {', '.join(known)}" if known else "; remove it"
