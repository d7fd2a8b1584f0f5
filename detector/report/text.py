"""Small helpers for text that people read on a terminal."""


def cut(text: str, width: int) -> str:
    """Return `text` printable and at most `width` characters wide: data may hold anything."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return printable if len(printable) <= width else printable[: width - 1] + "…"
