"""Label values that cannot break the page, whatever a feature is called."""

import unicodedata

MAX_LABEL_LENGTH = 128

# Control characters, lone surrogates and the marks that turn text around.
_REFUSED = {"Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn"}


def label(text: str) -> str:
    """Return `text` as a label value: printable, at most 128 characters."""
    if text.isascii() and text.isprintable() and len(text) <= MAX_LABEL_LENGTH:
        return text
    safe = "".join("\ufffd" if unicodedata.category(c) in _REFUSED else c for c in text)
    return safe if len(safe) <= MAX_LABEL_LENGTH else safe[: MAX_LABEL_LENGTH - 1] + "…"
