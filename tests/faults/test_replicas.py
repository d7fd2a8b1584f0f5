"""Of three replicas the active one is lost again and again: what comes out is as of one undisturbed."""

import statistics

import pytest

from tests.faults.form import either
from tests.faults.reference import by_reason
from tests.faults.replicas import FREEZE, KILL, ROLL, Replicas, made_in, sections
from tests.faults.sending import Stream
from tests.faults.setting import CUT_EVERY, write_setting
from tests.faults.test_killed import keys_of
from tests.faults.workload import N_PARTITIONS
from tests.support.receiver import receiver

N_EVENTS = either(24_000, 240_000)
N_EACH = either(1, 20)
SESSION_TIMEOUT_S = 6.0
"""The least that brokers take by themselves."""
READ_WITHIN_S = 120.0

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(either(240, 7200))]


def test_one_of_three_is_active_whatever_happens_to_it(kafka, make_topic, expected, home, tell):
    """Counts, evaluations and alerts are those of one undisturbed instance.

    An alert may be delivered again with its key; none may be missing, and none come that is not so.
    """
    stream = expected(N_EVENTS)
    topic = make_topic(N_PARTITIONS)
    losses = [KILL, FREEZE, ROLL] * N_EACH
    n_lost = 0
    with receiver() as inbox:
        given = sections(kafka, topic, SESSION_TIMEOUT_S, CUT_EVERY)
        detectors = made_in(
            home,
            3,
            lambda at: write_setting(at, stream.baseline, given["source"], inbox.url, state=given["state"]),
        )
        share = lambda: (n_lost + 1) / (len(losses) + 1)  # noqa: E731
        with Replicas(detectors, kafka, topic) as replicas:
            with Stream(kafka, topic, stream.work, 10 * (len(losses) + 1), share) as sending:
                for n_lost, how in enumerate(losses):  # noqa: B007 - the stream goes by it
                    replicas.lose(how)
                n_lost = len(losses)
            replicas.wait_for(stream.right.consumed, READ_WITHIN_S)
            replicas.stop()
            counters = replicas.counters()
    told = keys_of(inbox)
    gaps = {how: (f"{statistics.median(s):.1f}", f"{max(s):.1f}") for how, s in replicas.gaps_s.items()}
    tell(
        events=sending.sent, losses=len(losses), seconds_without_active_median_and_most=gaps,
        evaluations=counters.evaluations.total(), alerts=len(set(told)), repeats=len(told) - len(set(told)),
    )  # fmt: skip

    assert counters.consumed.total() == stream.right.consumed
    assert counters.accepted.total() == stream.right.accepted
    assert by_reason(counters.rejected) == stream.right.rejected
    assert counters.evaluation_digest == stream.like.digest
    assert set(told) == set(stream.like.keys)
