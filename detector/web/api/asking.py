"""What may stand in an address of the API, and finding what it means."""

import math
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from detector.batch import ModelKey
from detector.outcome import Judged
from detector.times import parse_duration
from detector.view import View
from detector.web.api.answers import StateName
from detector.web.pages.site import Model, NotThereError, find_model
from detector.web.slugs import PATTERN, named, slug
from detector.windows.slices import ALL

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_OFFSET = 10_000_000

SLUG = f"^{PATTERN}$"

_DURATION = r"[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|m|h|d|w)"

WINDOW = rf"^([0-9]{{1,9}}(\.[0-9]{{1,3}})?|({_DURATION}){{1,4}})$"
"""Seconds, or a duration such as 10m or 1h30m."""

ModelInPath = Annotated[str, Path(pattern=SLUG, description="id of the model", examples=["credit-risk"])]
VersionInPath = Annotated[str, Path(pattern=SLUG, description="id of its version", examples=["3"])]
FeatureInPath = Annotated[str, Path(pattern=SLUG, description="id of the feature", examples=["amount"])]

WindowAsked = Annotated[
    str | None, Field(pattern=WINDOW, description="length of a window", examples=["1h", "3600"])
]
SliceAsked = Annotated[str, Field(pattern=SLUG, description="id of a slice", examples=["country=DE"])]


class Query(BaseModel):
    """A query; what it does not know is refused, for it would be taken for something that counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Query):
    """Which part of a list."""

    offset: int = Field(default=0, ge=0, le=MAX_OFFSET, description="how many to leave out")
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="how many to tell at most")


class OfFeatures(Paged):
    """Which features, and of which window and slice."""

    window: WindowAsked = None
    slice: SliceAsked = ALL
    state: StateName | None = Field(default=None, description="only features in this state")
    sort: Literal["change", "name"] = Field(
        default="change", description="change: the worst first; name: by name"
    )


class OfStatistics(Query):
    """Of which window and slice; all of them where it does not say."""

    window: WindowAsked = None
    slice: SliceAsked | None = None


class OfDistributions(Query):
    """Of which slice, and in which window; all windows where it does not say."""

    window: WindowAsked = None
    slice: SliceAsked = ALL


class OfHistory(Query):
    """Of which slice, and of which window; the shortest where it does not say."""

    window: WindowAsked = None
    slice: SliceAsked = ALL


class OfAlerts(Paged):
    """Which alerts."""

    status: Literal["firing", "resolved"] | None = Field(default=None, description="only these")
    model: str | None = Field(
        default=None, pattern=SLUG, description="id of a model: only its alerts", examples=["credit-risk"]
    )
    version: str | None = Field(
        default=None, pattern=SLUG, description="id of a version, of that model or of any", examples=["3"]
    )

    def are_of(self, key: ModelKey) -> bool:
        """Whether alerts of a model version are asked for; also of one that is no longer watched."""
        return self.model in (None, slug(key.model)) and self.version in (None, slug(key.version))


def feature_of(view: View, model: str, version: str, feature: str) -> tuple[Model, int]:
    """Return the model version and the index of the feature that an address means.

    Raises:
        NotThereError: there is none.
    """
    found = find_model(view, model, version)
    name = named(feature, found.names)
    if name is None:
        raise NotThereError("no such feature")
    return found, found.names.index(name)


def slice_of(model: Model, wanted: str) -> int:
    """Return the row of a slice.

    Raises:
        NotThereError: there is no such slice.
    """
    names = model.judge.slices.names
    name = named(wanted, names)
    if name is None:
        raise NotThereError("no such slice")
    return names.index(name)


def length_of(wanted: str) -> float:
    """Return the seconds of a window length that `WINDOW` matches."""
    return parse_duration(wanted) if wanted[-1].isalpha() else float(wanted)


def is_length(wanted: str | None, length_s: float) -> bool:
    """Whether a window length is meant; where nothing is said, all are."""
    return wanted is None or math.isclose(length_of(wanted), length_s)


def windows_of(model: Model, wanted: str | None) -> tuple[Judged, ...]:
    """Return the latest evaluations that are asked for, shortest window first; none before the first.

    Raises:
        NotThereError: no window of that length has been judged.
    """
    found = tuple(j for j in model.windows if is_length(wanted, j.evaluation.window.length_s))
    if wanted is not None and not found:
        raise NotThereError("no such window, or it has not been judged yet")
    return found
