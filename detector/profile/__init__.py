"""Frozen binning and profiles: the counts of one set of events, over all features."""

from detector.profile.binning import Binning, CategoryBinning, NumericBinning
from detector.profile.fit import Fit, shape_tree
from detector.profile.layout import Layout
from detector.profile.profile import Profile, count, forget_untold

__all__ = [
    "Binning",
    "CategoryBinning",
    "Fit",
    "Layout",
    "NumericBinning",
    "Profile",
    "count",
    "forget_untold",
    "shape_tree",
]
