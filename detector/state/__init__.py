"""What the detector knows, kept so that it can go on where it was."""

from detector.state.base import StateStore
from detector.state.directory import DirectoryStore, Found, read_cuts
from detector.state.encoding import Cut, decode
from detector.state.keeper import Keeper

__all__ = ["Cut", "DirectoryStore", "Found", "Keeper", "StateStore", "decode", "read_cuts"]
