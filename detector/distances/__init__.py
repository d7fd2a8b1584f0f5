"""Distances between two count vectors over the same bins, one file each."""

import sys

from detector.distances.base import Distance, Pair, Segments, distance, distances
from detector.registry import import_all

import_all(sys.modules[__name__])

__all__ = ["Distance", "Pair", "Segments", "distance", "distances"]
