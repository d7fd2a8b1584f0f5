"""Kinds of sources and sinks: a part that is configured by a section with `kind: NAME`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from detector.clock import Clock
from detector.registry import Registry

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """One kind: what its section of the configuration may hold, and how a part is opened from it.

    The settings live beside the part, so adding a kind touches no other file.
    """

    Settings: type[BaseModel]
    open: Callable[[Any, Clock], T_co]
    """(settings, clock) -> the part."""


def open_part(kinds: Registry[Kind[T]], settings: BaseModel, clock: Clock) -> T:
    """Open the part that a section of the configuration describes."""
    name: str = settings.model_dump(include={"kind"})["kind"]
    return kinds.get(name).open(settings, clock)
