"""Statistics of columns side by side: training data and a file, or training data alone.

At most 80 columns wide; numbers with four digits, for people compare them by eye.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence

from detector.report.records import Record, number
from detector.report.text import cut
from detector.summary.model import QUANTILES, ColumnSummary

Side = tuple[str, Mapping[str, ColumnSummary]]
"""A data set's name and its columns."""

WIDTH, NAME_WIDTH, SIDE_WIDTH = 80, 16, 10
MEDIAN = QUANTILES.index(0.5)
MOST_VALUES = 4

NUMERIC_HEAD = f"{'missing':>8}{'mean':>9}{'std':>9}{'min':>9}{'median':>9}{'max':>9}"
TEXT_HEAD = f"{'missing':>8}{'distinct':>9}{'length':>7}  most frequent"


def summary_lines(sides: Sequence[Side], names: Sequence[str]) -> list[str]:
    """Return the statistics of the named columns: the numeric ones first, a line for each side."""
    first = sides[0][1]
    numeric = [name for name in names if first[name].type in ("int", "float")]
    others = [name for name in names if first[name].type not in ("int", "float")]
    lines: list[str] = []
    for head, chosen, cells in (
        (NUMERIC_HEAD, numeric, _numeric_cells),
        (TEXT_HEAD, others, _text_cells),
    ):
        if not chosen:
            continue
        lines += ([""] if lines else []) + [" " * (NAME_WIDTH + SIDE_WIDTH) + head]
        for name in chosen:
            for i, (label, columns) in enumerate(sides):
                left = cut(name, NAME_WIDTH - 1) if i == 0 else ""
                column = columns.get(name)
                right = cells(column) if column is not None else f"{'absent':>8}"
                lines.append(f"{left:<{NAME_WIDTH}}{label:<{SIDE_WIDTH}}{right}".rstrip())
                lines += _oddities(column)
    return lines


def _numeric_cells(column: ColumnSummary) -> str:
    found = column.numeric
    text = f"{_share(column.missing, column.rows):>8}"
    if found is None:
        return f"{text}{'no numbers':>12}"
    median = found.quantiles[MEDIAN] if found.quantiles else math.nan
    return text + "".join(f"{_number(x):>9}" for x in (found.mean, found.std, found.min, median, found.max))


def _text_cells(column: ColumnSummary) -> str:
    text = f"{_share(column.missing, column.rows):>8}"
    distinct = "-" if column.distinct is None else f"{column.distinct:,}"
    length = "-" if column.length_mean is None else f"{column.length_mean:.1f}"
    about = "~" if not column.distinct_is_exact else ""
    room = WIDTH - NAME_WIDTH - SIDE_WIDTH - 26
    return f"{text}{about + distinct:>9}{length:>7}  {cut(_frequent(column), room)}"


def _frequent(column: ColumnSummary) -> str:
    if column.values is None or not column.present:
        return "no values"
    top = column.values.most_common(MOST_VALUES)
    shown = ", ".join(f"{cut(value_text(v), 12)} {_share(n, column.present)}" for v, n in top)
    return shown or "none frequent"


def _oddities(column: ColumnSummary | None) -> list[str]:
    """Name what is neither a value nor missing, and zeros, where there are many."""
    if column is None:
        return []
    found = [
        (n, words)
        for n, words in (
            (column.nan, "not finite"),
            (column.infinite, "infinite"),
            (column.mismatches, "of another type"),
        )
        if n
    ]
    zeros = column.numeric.zeros if column.numeric is not None else None
    if zeros and column.numeric is not None and zeros > 0.1 * column.numeric.n:
        found.append((zeros, "zeros"))
    texts = [f"{_share(n, column.rows)} {words}" for n, words in found]
    if not texts:
        return []
    indent = " " * (NAME_WIDTH + SIDE_WIDTH + 2)
    return textwrap.wrap(
        f"({', '.join(texts)})", WIDTH, initial_indent=indent, subsequent_indent=indent + " "
    )


def value_text(value: object) -> str:
    """Return a value as it is written: truth values in lower case, whole numbers without decimals."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _share(n: int, of: int) -> str:
    return f"{n / of:.1%}" if of else "-"


def _number(x: float) -> str:
    if not math.isfinite(x):
        return "-"
    if 1e4 <= abs(x) < 1e7:
        return f"{x:.0f}"
    text = f"{x:.4g}"
    return text if len(text) <= 8 else f"{x:.2g}"


def summary_record(column: ColumnSummary) -> Record:
    """Return a column's statistics as a record; what is not known is null."""
    found = column.numeric
    record: Record = {
        "count": column.rows,
        "missing": column.missing,
        "type_mismatch": column.mismatches,
        "non_finite": column.nan + column.infinite,
        "distinct": column.distinct,
        "distinct_is_exact": column.distinct_is_exact,
    }
    if found is not None:
        record |= {name: number(getattr(found, name)) for name in ("mean", "std", "min", "max", "zeros")}
        record["quantiles"] = {f"{q:g}": number(x) for q, x in zip(QUANTILES, found.quantiles, strict=False)}
    if column.type in ("string", "bool"):
        top = [] if column.values is None else column.values.most_common(20)
        record["top_values"] = [{"value": value_text(v), "count": n} for v, n in top]
        record |= {"length_mean": column.length_mean, "length_max": column.length_max}
    return record
