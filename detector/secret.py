"""Secrets, from the environment or from files; never part of a configuration, a log or an error."""

from pathlib import Path

from pydantic import SecretStr

MAX_BYTES = 16 << 10


def secret(value: SecretStr | None, file: str | None) -> str | None:
    """Return a secret, None where there is none.

    Raises:
        OSError: its file cannot be read.
        ValueError: it is empty, or no text in one line.
    """
    if value is not None:
        text = value.get_secret_value()
    elif file is not None:
        with Path(file).open("rb") as opened:
            text = opened.read(MAX_BYTES).decode("utf-8").strip()
    else:
        return None
    if not text or not text.isprintable():
        raise ValueError("must hold one line of text")
    return text
