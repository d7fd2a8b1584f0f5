"""The baseline: what training data looked like, frozen."""

from detector.baseline.model import ROUNDING, Baseline, CategoryFacts, Figures, Provenance, SourceFile

__all__ = ["ROUNDING", "Baseline", "CategoryFacts", "Figures", "Provenance", "SourceFile"]
