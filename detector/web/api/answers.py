"""What all answers have in common. Fields stay; new ones may come.

Names come from events and files, and are told as text that prints, of bounded length; the `id` beside one is
what stands for it in an address. Times are RFC 3339 in UTC.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

from detector.batch import ModelKey
from detector.drift.evaluation import State
from detector.metrics.labels import label
from detector.web.slugs import slug

StateName = Literal["insufficient", "ok", "warning", "drift"]

MAX_LISTED = 100
"""Items of a list that is no page; how many there are stands beside it."""

T = TypeVar("T")

Number = Annotated[float | None, Field(description="null where there is none")]

Time = Annotated[
    str | None, Field(description="RFC 3339 in UTC; null where unknown", examples=["2026-09-21T12:00:00Z"])
]

Window = Annotated[str, Field(description="length of the window", examples=["10m", "24h"])]

Id = Annotated[str, Field(description="what stands for the name in an address", examples=["amount"])]

ModelId = Annotated[
    str,
    Field(description="model and version as they stand in an address", examples=["credit-risk/3"]),
]


class Answer(BaseModel):
    """An object of the API."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Error(Answer):
    """Why there is no answer."""

    detail: str = Field(examples=["no such feature"])


class Page(Answer, Generic[T]):
    """Some of a list."""

    items: Sequence[T]
    total: int
    """How many there are."""
    offset: int
    """How many of them come before these."""
    limit: int
    """How many were asked for."""


class Named(Answer):
    """A name with what stands for it in an address."""

    id: Id
    name: str


def named(name: str) -> Named:
    """Return a name as it is told."""
    return Named(id=slug(name), name=label(name))


def id_of(key: ModelKey) -> str:
    """Return what stands for a model version in an address."""
    return f"{slug(key.model)}/{slug(key.version)}"


def labels(names: Iterable[str]) -> tuple[str, ...]:
    """Return names as they are told."""
    return tuple(map(label, names))


def state_name(state: int) -> StateName:
    """Return the name of a state."""
    return cast(StateName, State(state).label)


def worst(states: Iterable[int]) -> StateName:
    """Return the name of the worst of some states."""
    return state_name(max(map(int, states), default=State.INSUFFICIENT))
