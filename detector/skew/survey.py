"""The first pass over both sides: how many rows, which features, and what their cells could be."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from detector.columns import PREDICTION_PREFIX, TypeEvidence
from detector.errors import DataError
from detector.skew.cells import Reading
from detector.summary.collect import ReadChunks

_SHOWN = 20
"""Column names in a message."""


@dataclass(slots=True)
class Side:
    """What is known of the data of one side."""

    name: str
    rows: int = 0
    known: dict[str, None] = field(default_factory=dict)
    """All columns."""
    evidence: dict[str, TypeEvidence] = field(default_factory=dict)
    """The columns to compare."""


@dataclass(frozen=True, slots=True)
class JoinedFeature:
    """A feature, its column on each side (None where there is none), and how both are read."""

    name: str
    reference: str | None
    current: str | None
    reading: Reading


def survey(read: ReadChunks, name: str, id_columns: Sequence[str], exclude: Sequence[str]) -> Side:
    """Read one side once.

    Raises:
        DataError: it has no rows, or lacks an id column.
    """
    side = Side(name)
    left_out = {*id_columns, *exclude}
    for chunk in read():
        side.rows += chunk.n
        for column_name, column in chunk.columns.items():
            side.known[column_name] = None
            role = chunk.roles.get(column_name, "feature")
            if role in ("feature", "prediction") and column_name not in left_out:
                before = side.evidence.get(column_name, TypeEvidence())
                side.evidence[column_name] = before + column.evidence()
    if side.rows == 0:
        raise DataError(f"the {name} data have no rows to join; name files with data")
    absent = [column for column in id_columns if column not in side.known]
    if absent:
        raise DataError(
            f"no column {absent[0]!r} to join by in the {name} data; there are {_listed(list(side.known))}"
        )
    return side


def join_features(reference: Side, current: Side, exclude: Sequence[str]) -> tuple[JoinedFeature, ...]:
    """Return the features of both sides, paired by name.

    A prediction `score` of a flat table is `prediction.score` in full events, and the other way round.

    Raises:
        DataError: there is nothing to compare, or a column to leave out is on neither side.
    """
    unknown = [name for name in exclude if name not in reference.known and name not in current.known]
    if unknown:
        known = list(reference.known | current.known)
        raise DataError(f"no column {unknown[0]!r} to leave out on either side; there are {_listed(known)}")
    features = []
    taken = set()
    for name in reference.evidence:
        other = next((other for other in _names(name) if other in current.evidence), None)
        if other != name and other in reference.evidence:
            other = None
        taken.add(other)
        features.append(_feature(reference, current, name, other))
    features += [
        _feature(reference, current, None, other) for other in current.evidence if other not in taken
    ]
    if not features:
        raise DataError("no column besides the ids to compare; join data that have features")
    return tuple(features)


def _names(name: str) -> tuple[str, ...]:
    bare = name.removeprefix(PREDICTION_PREFIX)
    return (name, bare, PREDICTION_PREFIX + bare)


def _feature(reference: Side, current: Side, before: str | None, now: str | None) -> JoinedFeature:
    nothing = TypeEvidence()
    sides = ((reference, before), (current, now))
    evidence = [side.evidence[name] if name is not None else nothing for side, name in sides]
    name = before if before is not None else now
    assert name is not None
    return JoinedFeature(name, before, now, Reading.of(*evidence))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
