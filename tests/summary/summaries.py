"""Summaries of small tables."""

import csv
import io
import json

from detector.summary.collect import summarize
from detector.summary.model import ColumnSummary
from tests.tables.reading import read


def csv_of(columns):
    """Return columns of texts as a CSV file."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerows([list(columns), *zip(*columns.values(), strict=True)])
    return stream.getvalue().encode()


def summary_of(columns, rows=65536, expected=None, **options):
    """Summarise columns of texts, as a CSV file of them; read in chunks of so many rows."""
    content = csv_of(columns)
    return summarize(lambda: read(content, rows=rows), expected, **options)


def column_of(cells, rows=65536, **options) -> ColumnSummary:
    """Summarise one column of texts."""
    return summary_of({"x": list(map(str, cells))}, rows, **options).columns["x"]


def column_of_json(cells, rows=65536, **options) -> ColumnSummary:
    """Summarise one column of a JSON Lines file."""
    content = "".join(json.dumps({"x": cell}) + "\n" for cell in cells).encode()
    return summarize(lambda: read(content, "t.jsonl", rows), **options).columns["x"]
