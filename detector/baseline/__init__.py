"""The baseline: what training data looked like, frozen."""

from detector.baseline.model import Baseline, CategoryFacts, Provenance, SourceFile

__all__ = ["Baseline", "CategoryFacts", "Provenance", "SourceFile"]
