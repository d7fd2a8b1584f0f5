"""Families of parts that are found by name: distances, event formats, sources, sinks, table readers.

A part is one file in its family's package. It registers itself when imported, and the family's
`__init__` imports every file beside it. So adding a part is adding a file.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Generic, TypeVar

from detector.errors import ConfigError

T = TypeVar("T")


class Registry(Generic[T]):
    """The parts of one family by name, in the order of their names."""

    def __init__(self, family: str) -> None:
        self.family = family
        self._parts: dict[str, T] = {}

    def add(self, name: str, part: T) -> T:
        """Take in `part` under `name`; a second part of one name is a programmer's error."""
        if name in self._parts:
            raise ValueError(f"{self.family} {name!r} is registered twice")
        self._parts[name] = part
        return part

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that takes in the decorated part under `name`."""
        return lambda part: self.add(name, part)

    def get(self, name: str) -> T:
        """Return the part called `name`.

        Raises:
            ConfigError: there is none; the message lists those there are.
        """
        if name not in self._parts:
            raise ConfigError(f"unknown {self.family} {name!r}; known: {', '.join(self.names())}")
        return self._parts[name]

    def names(self) -> list[str]:
        """Return the names in alphabetical order."""
        return sorted(self._parts)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return iter(sorted(self._parts.items()))

    def __contains__(self, name: object) -> bool:
        return name in self._parts


def import_all(package: ModuleType) -> None:
    """Import every module beside `package`'s `__init__`, so that each registers its part."""
    for found in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{found.name}")
