"""The queue of a sink: bounded, in order for each alert, and it forgets the superseded first."""

from hypothesis import given
from hypothesis import strategies as st

from detector.sinks.outbox import Outbox
from tests.support.notices import ended, feature_alert, notice


def _put(outbox, *names):
    """Put in a batch of alerts by name; a name with a dash before it is the end of that alert."""
    of = [ended(feature_alert(n[1:])) if n.startswith("-") else feature_alert(n) for n in names]
    return outbox.put([notice(t) for t in of], 0.0)


def _names(batch):
    of = [n.transition for n in batch.notices]
    return [("-" if t.status == "resolved" else "") + t.feature for t in of]


def _drain(outbox):
    out = []
    while (batch := outbox.next()) is not None:
        out += _names(batch)
        outbox.done(batch)
    return out


def test_batches_leave_in_the_order_in_which_they_came():
    """Nothing failed, nothing overtakes."""
    outbox = Outbox(10)
    for name in ("a", "b", "-a"):
        _put(outbox, name)

    assert _drain(outbox) == ["a", "b", "-a"]


def test_a_batch_that_failed_lets_others_by_but_not_the_end_of_its_own_alert():
    """What the receiver chokes on holds up only news of the same alert."""
    outbox = Outbox(10)
    for name in ("a", "-a", "b"):
        _put(outbox, name)
    first = outbox.next()
    first.attempts += 1
    outbox.rest()

    assert _drain(outbox) == ["b", "a", "-a"]


def test_a_full_queue_drops_first_what_is_superseded():
    """The beginning of an alert whose end waits too goes before older news that nothing supersedes."""
    outbox = Outbox(3)
    for name in ("old", "a", "-a"):
        assert _put(outbox, name) == 0

    assert _put(outbox, "new") == 1
    assert _drain(outbox) == ["old", "-a", "new"]


def test_without_anything_superseded_the_oldest_is_dropped():
    """What has just come is never dropped for what is older."""
    outbox = Outbox(2)
    dropped = [_put(outbox, name) for name in "abcd"]

    assert dropped == [0, 0, 1, 1]
    assert _drain(outbox) == ["c", "d"]


def test_what_is_being_delivered_is_not_dropped():
    """It would be counted twice: as dropped and as sent."""
    outbox = Outbox(2)
    _put(outbox, "a")
    in_flight = outbox.next()
    for name in "bcd":
        _put(outbox, name)
    outbox.done(in_flight)

    assert _drain(outbox) == ["d"]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", "-a", "-b"]), st.booleans()), max_size=40))
def test_the_queue_stays_bounded_loses_nothing_uncounted_and_keeps_each_alerts_order(steps):
    """Whatever comes, and whatever fails: put = left + dropped, and no alert is told out of order."""
    outbox, dropped, out = Outbox(5), 0, []
    for number, (name, fails) in enumerate(steps):
        transition = feature_alert(name.strip("-"), onset_s=float(number))
        t = ended(transition) if name.startswith("-") else transition
        dropped += outbox.put([notice(t)], 0.0)
        batch = outbox.next()
        if fails:
            batch.attempts += 1
            outbox.rest()
        else:
            out.append(batch.notices[0].transition)
            outbox.done(batch)
        assert len(outbox) <= 5
    while (batch := outbox.next()) is not None:
        out.append(batch.notices[0].transition)
        outbox.done(batch)

    assert len(steps) == len(out) + dropped
    for name in "abc":
        seen = [t.onset_s for t in out if t.feature == name]
        assert seen == sorted(seen)
