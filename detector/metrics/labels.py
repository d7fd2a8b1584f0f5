"""Label values that cannot break the page, whatever a feature is called."""

from detector.printable import distinct

MAX_LABEL_LENGTH = 128


def label(text: str) -> str:
    """Return `text` as a label value: printable, at most 128 characters, another one for another text."""
    return distinct(text, MAX_LABEL_LENGTH)
