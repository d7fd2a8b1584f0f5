"""What the detector knows, kept so that it can go on where it was."""

from detector.state.base import StateAwayError, StateStore
from detector.state.directory import DirectoryStore, Found, read_cuts
from detector.state.encoding import Cut, decode
from detector.state.keeper import Keeper
from detector.state.topic import TopicStore

__all__ = [
    "Cut",
    "DirectoryStore",
    "Found",
    "Keeper",
    "StateAwayError",
    "StateStore",
    "TopicStore",
    "decode",
    "read_cuts",
]
