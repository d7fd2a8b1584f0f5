"""Sinks for alert transitions, one file each."""

import sys

from detector.registry import import_all
from detector.sinks.base import PromptSink, Sink, SinkKind, close_all, sinks

import_all(sys.modules[__name__])

__all__ = ["PromptSink", "Sink", "SinkKind", "close_all", "sinks"]
