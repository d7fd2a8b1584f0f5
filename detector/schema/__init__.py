"""What data should look like: the model of a schema, inference, validation, differences."""

from detector.schema.model import (
    BoolDomain,
    Domain,
    FeatureSchema,
    Pattern,
    Presence,
    Range,
    RowLimits,
    Schema,
    Values,
)

__all__ = [
    "BoolDomain",
    "Domain",
    "FeatureSchema",
    "Pattern",
    "Presence",
    "Range",
    "RowLimits",
    "Schema",
    "Values",
]
