"""Small data sets under small schemas."""

from dataclasses import replace

from detector.schema import FeatureSchema, Schema
from detector.schema.validate import Circumstances, expectations, validate
from detector.summary.collect import summarize
from tests.summary.summaries import csv_of
from tests.tables.reading import read

EMPTY = ""
"""A missing cell."""


def anomalies_of(schema, columns, tolerance=0.0, **about):
    """Hold columns of texts, as a CSV file of them, against a schema."""
    content = csv_of({name: list(map(str, cells)) for name, cells in columns.items()})
    data = summarize(lambda: read(content), expectations(schema))
    return validate(schema, data, Circumstances(tolerance=tolerance, **about))


def kinds_of(schema, columns, tolerance=0.0, **about):
    """Return the kinds of the anomalies, sorted, a warning with `~`."""
    found = anomalies_of(schema, columns, tolerance, **about)
    return sorted(a.kind + ("~" if a.severity == "warning" else "") for a in found)


def kinds(cells, feature=None, tolerance=0.0, rules="own", **parts):
    """Return the kinds of the anomalies of one column by a feature of these parts."""
    feature = replace(feature or FeatureSchema("string"), **parts)
    return kinds_of(Schema({"x": feature}, rules=rules), {"x": cells}, tolerance)
