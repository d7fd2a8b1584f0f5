"""Feature skew: the same row by its id, with another value when serving than when training.

Not the *schema skew* (columns that differ) nor the *distribution skew* (other shares of values) of a
comparison: those need no ids, and see nothing where two rows have swapped their values.
"""

from detector.skew.join import join_by_id
from detector.skew.model import FeatureSkew, IdStatistics, JoinOptions, Sample, SkewReport, ValuePair

__all__ = ["FeatureSkew", "IdStatistics", "JoinOptions", "Sample", "SkewReport", "ValuePair", "join_by_id"]
