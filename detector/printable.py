"""The one place where text of others becomes text that is safe to print: one line, and no cursor moves.

Names and values come from events, from training data and from configuration, and may hold anything: line
breaks, escape sequences of terminals, marks that turn text around, halves of characters. Quoting for HTML,
JSON or Prometheus comes on top, from what writes these.
"""

from hashlib import blake2b

REPLACEMENT = "\ufffd"


def printable(text: str, limit: int | None = None) -> str:
    """Return a text with U+FFFD for each character that does not print, cut to `limit` characters."""
    if limit is not None:
        text = text[: limit + 1]
    safe = text if text.isprintable() else "".join(c if c.isprintable() else REPLACEMENT for c in text)
    return safe if limit is None or len(safe) <= limit else safe[: limit - 1] + "…"


def escaped(text: str) -> str:
    """Return a text with each character that does not print written as Python writes it in a literal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def distinct(text: str, limit: int) -> str:
    """Return a text that prints, at most `limit` characters; different for different texts.

    Where something had to be replaced or cut, eight digits of a hash stand behind: as labels of a metric
    two names must not become one, for Prometheus refuses a page that says the same series twice.
    """
    if len(text) <= limit and text.isprintable():
        return text
    mark = "~" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return printable(text, limit - len(mark)) + mark
