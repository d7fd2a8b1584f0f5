"""Names in addresses: whatever a model or a feature is called, its address needs no decoding."""

import re
from collections.abc import Iterable
from hashlib import sha256

PATTERN = r"[A-Za-z0-9_.=~-]{1,64}"
"""What stands for a name in an address."""

_PLAIN = re.compile(r"[A-Za-z0-9_.=-]{1,64}")

_DOTS = frozenset({".", ".."})
"""Which browsers take for steps up and down."""


def slug(name: str) -> str:
    """Return what stands for a name in an address: itself where it is plain, else a digest behind a tilde.

    Different names have different slugs: a plain one never begins with a tilde.
    """
    if _PLAIN.fullmatch(name) and name not in _DOTS:
        return name
    return "~" + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def named(wanted: str, names: Iterable[str]) -> str | None:
    """Return the name that a slug stands for; None where there is no such name."""
    return next((name for name in names if slug(name) == wanted), None)
