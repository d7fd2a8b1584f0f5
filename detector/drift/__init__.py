"""A window against its baseline: statistics, thresholds, states, contributors."""
