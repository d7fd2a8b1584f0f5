"""News of columns: what a window has of them, and that they stay few."""

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import Sighting
from detector.windows.news import MAX_KEPT, MAX_NAMES, NO_NEWS, NewsRing

algebra = settings(max_examples=200, deadline=None, derandomize=True, database=None)

NOTES = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
        st.lists(st.sampled_from("xy"), max_size=2).map(tuple),
    ),
    max_size=30,
)
"""(pane, new columns, nulls) of sightings, in any order."""


@algebra
@given(NOTES, st.integers(1, 6), st.integers(0, 3))
def test_a_window_has_the_names_of_its_own_panes_and_the_nulls_of_the_last(notes, panes, lag):
    """Whatever the order; notes of panes that are closed already count at the next evaluation.

    Each note comes when the windows have got `lag` panes past it, or on time.
    """
    ring = NewsRing()
    for end in range(1, 14):
        for pane, new, null in notes:
            if pane + (lag if pane % 2 else 0) == end - 1:
                ring.add(pane, Sighting(0, new, null))
        known = [note for note in notes if note[0] + (lag if note[0] % 2 else 0) < end]
        first = max(0, end - panes)
        inside = [note for note in known if first <= note[0] < end]
        found = ring.between(first, end)
        ring.drop_before(first)

        assert found.new == {name for _, new, _ in inside for name in new}
        last = max((pane for pane, _, _ in inside), default=None)
        assert found.null == {name for pane, _, null in inside for name in null if pane == last}


def test_windows_of_several_lengths_share_one_ring():
    """Each has the names of its own panes."""
    ring = NewsRing()
    ring.add(0, Sighting(0, ("old",)))
    ring.add(9, Sighting(0, ("young",)))

    assert ring.between(5, 10).new == {"young"}
    assert ring.between(0, 10).new == {"old", "young"}


def test_panes_that_are_still_open_are_no_news_yet():
    """A pane ahead of the windows waits for its own turn, and does not hide what came before."""
    ring = NewsRing()
    ring.add(0, Sighting(0, ("a",), ("x",)))
    ring.add(5, Sighting(0, ("a", "b"), ("y",)))

    assert (ring.between(0, 1).new, ring.between(0, 1).null) == ({"a"}, {"x"})
    assert (ring.between(4, 6).new, ring.between(4, 6).null) == ({"a", "b"}, {"y"})


def test_a_pane_that_was_looked_at_takes_the_place_of_the_one_before():
    """Nothing null any more is news; a pane of which no event was read whole is none."""
    ring = NewsRing()
    ring.add(0, Sighting(0, (), ("x",)))
    assert ring.between(0, 3).null == {"x"}
    ring.add(3, Sighting(0))
    assert ring.between(0, 4) == NO_NEWS


def test_a_million_names_keep_a_few():
    """So many of a pane, so many in all: those seen last; and none when no window reaches them."""
    ring = NewsRing()
    for pane in range(1000):
        for i in range(50):
            ring.add(pane, Sighting(0, tuple(f"{pane}-{i}-{k}" for k in range(20))))
        found = ring.between(0, pane + 1)
        assert len(ring._new) == 0
    ring.add(1000, Sighting(0, ("real",)))

    assert len(found.new) <= MAX_KEPT
    assert all(int(name.split("-")[0]) > 1000 - 2 - MAX_KEPT / MAX_NAMES for name in found.new)
    assert "real" in ring.between(0, 1001).new
    ring.drop_before(1001)
    assert ring.between(1001, 1002) == NO_NEWS
    assert (ring._new, ring._null, ring._last_pane_with, ring._looked) == ({}, {}, {}, None)


def test_a_long_window_of_short_panes_keeps_no_more_than_a_short_one():
    """A new column in each of 600,000 panes is one name, not one for each pane."""
    ring = NewsRing()
    for pane in range(600_000):
        ring.add(pane, Sighting(0, ("channel",), ("x",)))
        if pane % 1000 == 0:
            ring.between(0, pane + 1)
    found = ring.between(0, 600_000)

    assert (found.new, found.null) == ({"channel"}, {"x"})
    assert len(ring._last_pane_with) == 1
    assert len(ring._null) == 0


def test_names_that_are_left_out_are_counted_once_for_each_time():
    """Those beyond `MAX_NAMES` of a pane, those an event has too many of, those beyond `MAX_KEPT` of all."""
    ring = NewsRing()
    ring.add(0, Sighting(0, tuple(f"a{i}" for i in range(MAX_NAMES + 3)), (), unnamed=4))
    assert (ring.take_shed(), ring.take_shed()) == (7, 0)

    panes = MAX_KEPT // MAX_NAMES
    for pane in range(1, panes + 1):
        ring.add(pane, Sighting(0, tuple(f"b{pane}.{i}" for i in range(MAX_NAMES))))
    ring.between(0, panes + 1)
    assert ring.take_shed() == MAX_NAMES
