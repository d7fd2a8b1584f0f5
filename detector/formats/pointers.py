"""JSON pointers (RFC 6901), and structs that pick their targets out of a document.

A struct type is built that has exactly the fields the pointers lead to, nested as they are; msgspec
decodes a document straight into it and skips everything else without building objects.
"""

import re
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from detector.errors import ConfigError

Tokens = tuple[str, ...]

_REFUSED = re.compile(r'["\\\x00-\x1f]')
"""What msgspec does not allow in the name of a struct's field."""

MISSING = object()
"""What `look_up` returns where the document has no such place."""


def parse_pointer(pointer: str) -> Tokens:
    """Return the tokens of a pointer.

    Raises:
        ConfigError: it is none.
    """
    if pointer and not pointer.startswith("/"):
        raise ConfigError(f"{pointer!r} is not a JSON pointer; write it like /features/age")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def look_up(document: object, tokens: Tokens) -> object:
    """Return what lies at a place of a decoded document, `MISSING` where there is no such place."""
    for token in tokens:
        if not isinstance(document, dict) or token not in document:
            return MISSING
        document = document[token]
    return document


class NoStructError(ValueError):
    """A name that no struct can have: such documents are read untyped."""


class StructBuilder:
    """Collects typed places of a document and makes one struct type of them."""

    def __init__(self) -> None:
        self._root: dict[str, tuple[str, Any]] = {}
        self._n = 0

    def add(self, tokens: Tokens, type_: Any, default: Any = None) -> str:
        """Ask for the place `tokens` as a value of `type_`; return its dotted attribute path.

        Raises:
            ConfigError: two different things are expected at one place.
        """
        node, path = self._root, []
        for token in tokens[:-1]:
            attribute, child = node.setdefault(token, (self._name(), {}))
            if not isinstance(child, dict):
                raise _conflict(tokens)
            path.append(attribute)
            node = child
        if not tokens or tokens[-1] in node:
            raise _conflict(tokens)
        attribute = self._name()
        node[tokens[-1]] = (attribute, _Leaf(type_, default))
        return ".".join([*path, attribute])

    def _name(self) -> str:
        self._n += 1
        return f"f{self._n}"

    def build(self) -> type[msgspec.Struct]:
        """Return the struct type; fields of one level stand in the order in which they were added.

        Raises:
            NoStructError: a token is a name that no field of a struct can have.
        """
        return _struct("Event", self._root)


class _Leaf:
    def __init__(self, type_: Any, default: Any) -> None:
        self.type = type_
        self.default = default


def _conflict(tokens: Tokens) -> ConfigError:
    return ConfigError(f"event.fields: two parts of the event lie at the same place, /{'/'.join(tokens)}")


def _struct(name: str, node: Mapping[str, tuple[str, Any]]) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for token, (attribute, child) in node.items():
        if _REFUSED.search(token):
            raise NoStructError(token)
        names[attribute] = token
        if isinstance(child, _Leaf):
            fields.append((attribute, child.type, child.default))
        else:
            inner = _struct(f"{name}_{attribute}", child)
            # An absent object is one whose parts are all absent.
            fields.append((attribute, inner, msgspec.field(default_factory=inner)))
    return msgspec.defstruct(name, fields, rename=names, gc=False)


def extractor(paths: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that picks attribute paths out of a struct, always as a tuple."""
    if not paths:
        return lambda _: ()
    get = attrgetter(*paths)
    if len(paths) == 1:
        return lambda event: (get(event),)
    return get
