"""Recorded events through the same pipeline, at their own event time and as fast as it goes."""
