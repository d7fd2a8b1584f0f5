"""What the detector knows, kept so that it can go on where it was."""

from detector.state.base import StateStore
from detector.state.directory import DirectoryStore
from detector.state.encoding import Cut, decode
from detector.state.keeper import Keeper

__all__ = ["Cut", "DirectoryStore", "Keeper", "StateStore", "decode"]
