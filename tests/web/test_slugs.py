"""What stands for a name in an address."""

import re

from hypothesis import given
from hypothesis import strategies as st

from detector.web.slugs import PATTERN, named, slug

names = st.text(max_size=80) | st.sampled_from(
    ["", ".", "..", "income", "country=DE", "~a", "x" * 10_000, "\ud800"]
)


@given(names, names)
def test_every_name_has_an_address_of_its_own(one, other):
    """That needs no decoding, and by which it is found again."""
    assert re.fullmatch(PATTERN, slug(one))
    assert slug(one) not in (".", "..")
    assert (slug(one) == slug(other)) == (one == other)
    assert named(slug(one), [other, one]) == one


def test_plain_names_are_their_own_address():
    assert [slug(name) for name in ("income", "country=DE", "v1.2-rc_3")] == [
        "income",
        "country=DE",
        "v1.2-rc_3",
    ]
