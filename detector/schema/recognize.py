"""What a column is for, told from its values: ids, free text and points in time are no features.

Their values never come back, so every window of them differs from training data, and a comparison
of their distributions says nothing. Each rule is told to the user with what it saw.
"""

import re
from itertools import islice

from detector.schema.model import SchemaRole
from detector.summary.model import ColumnSummary
from detector.times import parse_iso8601

MIN_DISTINCT = 100
"""No text column with fewer distinct values is an id or free text: it may as well be a category."""

MIN_ROWS = 50
"""No number column with fewer values is an id."""

DISTINCT_SHARE = 0.95
"""An id hardly ever comes back: at least so many distinct values a value."""

NAMED_DISTINCT_SHARE = 0.5
"""Enough where the name says that it is one."""

TEXT_DISTINCT_SHARE = 0.5
TEXT_WORDS = 3.0
"""Free text has at least so many words on average, and half of its values occur once."""

CHECKED_VALUES = 1000

EPOCH_FROM, EPOCH_TO = 946_684_800, 4_102_444_800
"""Seconds from the year 2000 to 2100."""

_ID_NAME = re.compile(
    r"(?:^|[_\-. ])(?i:id|ids|uuid|guid|key|index|idx|row|rowid|row_number)$|(?<=[a-z])(?:Id|ID|UUID|Key)$"
)
_TIME_NAME = re.compile(
    r"(?:^|[_\-. ])(?:time|timestamp|ts|date|datetime|day|at|epoch)(?:$|[_\-. ])", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")


def recognize(name: str, column: ColumnSummary) -> tuple[SchemaRole, str | None]:
    """Return the role of a column, and what was seen where it is no feature."""
    if column.type == "string" and column.values is not None:
        return _of_texts(name, column)
    if column.type in ("int", "float") and column.numeric is not None:
        return _of_numbers(name, column)
    return "feature", None


def _of_texts(name: str, column: ColumnSummary) -> tuple[SchemaRole, str | None]:
    assert column.values is not None
    texts = [str(value) for value in islice(column.values.counts, CHECKED_VALUES)]
    distinct, n = column.distinct or 0, column.present - column.mismatches
    if texts and all(map(_is_time, texts)):
        return "timestamp", f"points in time; {distinct:,} distinct"
    if distinct <= MIN_DISTINCT or not n:
        return "feature", None
    seen = f"{distinct:,} distinct values in {n:,} rows"
    words = sum(len(text.split()) for text in texts) / len(texts) if texts else TEXT_WORDS
    if words >= TEXT_WORDS and distinct >= TEXT_DISTINCT_SHARE * n:
        return "free_text", f"free text: {seen}, {words:.0f} words on average"
    if texts and all(map(_UUID.fullmatch, texts)):
        return "id", f"an id: UUIDs, {seen}"
    if distinct >= DISTINCT_SHARE * n or (_ID_NAME.search(name) and distinct >= NAMED_DISTINCT_SHARE * n):
        return "id", f"an id: {seen}"
    return "feature", None


def _of_numbers(name: str, column: ColumnSummary) -> tuple[SchemaRole, str | None]:
    numeric = column.numeric
    assert numeric is not None
    if _TIME_NAME.search(name) and _is_epoch(numeric.min) and _is_epoch(numeric.max):
        return "timestamp", "a name of time, and seconds since 1970 (or ms, us, ns)"
    distinct = column.distinct or 0
    if column.type != "int" or numeric.n < MIN_ROWS:
        return "feature", None
    seen = f"{distinct:,} distinct values in {numeric.n:,} rows"
    if _ID_NAME.search(name) and distinct >= NAMED_DISTINCT_SHARE * numeric.n:
        return "id", f"an id: {seen}"
    if numeric.min in (0.0, 1.0) and numeric.max - numeric.min + 1 == distinct == numeric.n:
        return "id", f"an id: every row another number, {numeric.min:.0f} to {numeric.max:.0f}"
    return "feature", None


def _is_time(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        parse_iso8601(text)
    except ValueError:
        return False
    return True


def _is_epoch(x: float) -> bool:
    return any(EPOCH_FROM <= x / unit <= EPOCH_TO for unit in (1, 1e3, 1e6, 1e9))
