"""What is remembered, as a tree of plain values: no object of ours, no code, so that reading it runs none.

Every class writes its own part of the tree and reads it back; what reads it trusts nothing.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar, Union

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.batch import Floats, Ints

Tree: TypeAlias = Union[
    bool, int, float, str, bytes, NDArray[Any], "list[Tree]", "dict[str, Tree]", "Frozen", None
]

Record = TypeVar("Record")
Scalar = TypeVar("Scalar", bound=np.generic)


class Frozen:
    """A part of a tree that never changes: the same object is the same content, however often it is kept.

    So whoever writes trees may encode it once.
    """

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: Tree) -> None:
        self.value = value


class Handed:
    """Which of some numbered parts were handed out as they are: whoever changes one does so in a copy."""

    def __init__(self) -> None:
        self._parts: dict[int, Frozen] = {}

    def out(self, parts: "Mapping[int, Tree]") -> "list[Tree]":
        """Return every part by its number; one that is still as it was is the same object as before."""
        self._parts = {i: self._parts.get(i) or Frozen(parts[i]) for i in sorted(parts)}
        return [[i, part] for i, part in self._parts.items()]

    def take_back(self, i: int) -> bool:
        """Return whether a part was handed out, so that it is copied before it changes; now it is not."""
        return self._parts.pop(i, None) is not None


def dict_of(tree: Tree) -> "dict[str, Tree]":
    """Return a branch with names.

    Raises:
        ValueError: it is something else; so for all functions here.
    """
    tree = _thawed(tree)
    if not isinstance(tree, dict):
        raise _other(tree, "a branch with names")
    return _Branch(tree)


class _Branch(dict[str, Tree]):
    """A branch that says which name it misses."""

    def __missing__(self, name: str) -> Tree:
        raise ValueError(f"has no {name!r}")


def list_of(tree: Tree) -> "list[Tree]":
    """Return a list."""
    tree = _thawed(tree)
    if not isinstance(tree, list):
        raise _other(tree, "a list")
    return tree


def int_of(tree: Tree) -> int:
    """Return a whole number."""
    tree = _thawed(tree)
    if not isinstance(tree, int) or isinstance(tree, bool):
        raise _other(tree, "a whole number")
    return tree


def float_of(tree: Tree) -> float:
    """Return a number, NaN and infinity among them."""
    tree = _thawed(tree)
    if not isinstance(tree, int | float) or isinstance(tree, bool):
        raise _other(tree, "a number")
    return float(tree)


def text_of(tree: Tree) -> str:
    """Return a text."""
    tree = _thawed(tree)
    if not isinstance(tree, str):
        raise _other(tree, "a text")
    return tree


def texts_of(tree: Tree) -> list[str]:
    """Return a list of texts."""
    return [text_of(item) for item in list_of(tree)]


def pair_of(tree: Tree) -> "tuple[Tree, Tree]":
    """Return a list of two."""
    items = list_of(tree)
    if len(items) != 2:
        raise ValueError(f"has {len(items)} items where two were expected")
    return items[0], items[1]


def array_of(tree: Tree, dtype: type[Scalar], shape: tuple[int | None, ...]) -> NDArray[Scalar]:
    """Return an array of this type and shape, None for an axis of any length; it may be written to."""
    tree = _thawed(tree)
    if not isinstance(tree, np.ndarray) or tree.dtype != np.dtype(dtype):
        raise ValueError(
            f"has {getattr(tree, 'dtype', type(tree).__name__)} where {dtype.__name__} was expected"
        )
    fits = tree.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, tree.shape, strict=True))
    if not fits:
        raise ValueError(f"has an array of {tree.shape} where {shape} was expected")
    return np.array(tree)


def ints_of(tree: Tree, shape: tuple[int | None, ...]) -> Ints:
    """Return an array of int64."""
    return array_of(tree, np.int64, shape)


def floats_of(tree: Tree, shape: tuple[int | None, ...]) -> Floats:
    """Return an array of float64."""
    return array_of(tree, np.float64, shape)


def record_tree(record: Any) -> Tree:
    """Return a dataclass of plain values as a tree."""
    return _listed(msgspec.to_builtins(record))


def _listed(value: Any) -> Tree:
    if isinstance(value, dict):
        return {name: _listed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    tree: Tree = value
    return tree


def record_of(cls: type[Record], tree: Tree) -> Record:
    """Return the dataclass that `record_tree` made a tree of."""
    try:
        return msgspec.convert(_thawed(tree), cls)
    except msgspec.ValidationError as error:
        raise ValueError(f"has no {cls.__name__}: {error}") from None


def _other(tree: Tree, expected: str) -> ValueError:
    return ValueError(f"has {type(tree).__name__} where {expected} was expected")


def _thawed(tree: Tree) -> Tree:
    return tree.value if isinstance(tree, Frozen) else tree
