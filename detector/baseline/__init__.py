"""The baseline: what training data looked like, frozen."""

from detector.baseline.model import ROUNDING, Baseline, CategoryFacts, Provenance, SourceFile

__all__ = ["ROUNDING", "Baseline", "CategoryFacts", "Provenance", "SourceFile"]
