"""Kinds of sources and sinks: a part that is configured by a section with `kind: NAME`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from detector.clock import Clock

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind: what its section of the configuration may hold, and how a part is opened from it.

    The settings live beside the part, so adding a kind touches no other file.
    """

    Settings: type[BaseModel]  # noqa: N815 - it holds a class
    open: Callable[[Any, Clock], T]
    """(settings, clock) -> the part."""
