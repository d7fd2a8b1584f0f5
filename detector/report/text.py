"""Small helpers for text that people read on a terminal."""

from detector.printable import printable


def cut(text: str, width: int) -> str:
    """Return `text` printable and at most `width` characters wide: data may hold anything."""
    return printable(text, width)
