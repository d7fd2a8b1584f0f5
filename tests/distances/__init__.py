"""Tests of the distances: their common contract, independent oracles, null laws, raw samples."""
