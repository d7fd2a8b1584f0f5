"""Of several replicas one is active: elected by real Kafka, whatever happens to the active one."""

import signal
import sys
import uuid
from itertools import pairwise

import pytest

from tests.support.kafka_broker import KafkaBroker
from tests.support.processes import Program, wait_until

pytestmark = pytest.mark.kafka

SESSION_TIMEOUT_S = 6.0
TAKEOVER_WITHIN_S = 3 * SESSION_TIMEOUT_S


class Member(Program):
    """One replica, and what it said of its duty."""

    def __init__(self, broker, directory, group, session_timeout_s=SESSION_TIMEOUT_S):
        arguments = [broker.bootstrap, "events", group, str(session_timeout_s)]
        command = [sys.executable, "-m", "tests.support.member", *arguments]
        super().__init__(command, directory / f"{uuid.uuid4().hex}.txt")

    def changes(self):
        """Return (monotonic second, term or 0) of each change so far."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [(float(line[0]), int(line[1])) for line in lines if len(line) == 2 and line[1].isdigit()]

    @property
    def term(self):
        changes = self.changes()
        return changes[-1][1] if changes else 0


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    made = KafkaBroker(tmp_path_factory.mktemp("kafka"), group_max_session_timeout_ms="1800000")
    with made:
        made.create_topic("events", 3)
        yield made


def _three(broker, directory, session_timeout_s):
    group = uuid.uuid4().hex
    made = [Member(broker, directory, group, session_timeout_s) for _ in range(3)]
    wait_until(lambda: all(m.changes() for m in made) and any(m.term for m in made), 30, "one is active")
    yield made
    for member in made:
        member.kill()


@pytest.fixture
def members(broker, tmp_path):
    yield from _three(broker, tmp_path, SESSION_TIMEOUT_S)


@pytest.fixture
def patient_members(broker, tmp_path):
    """Members whose sessions last longer than the tests wait."""
    yield from _three(broker, tmp_path, 10 * TAKEOVER_WITHIN_S)


def _active(members):
    """Return the active one once exactly one has been so for all to see."""
    return wait_until(lambda: next(iter(_those(members)), None) if len(_those(members)) == 1 else None)


def _those(members):
    return [m for m in members if m.is_running and m.term]


def _taken_over(old, members):
    others = [m for m in members if m is not old]
    wait_until(lambda: _those(others), TAKEOVER_WITHIN_S, "another is active")
    return _active(others)


def test_a_killed_one_is_followed_by_another_with_a_higher_term(members):
    old = _active(members)
    old.kill()
    assert _taken_over(old, members).term > old.term


def test_a_frozen_one_that_wakes_is_not_active_before_it_is_elected_again(members):
    old = _active(members)
    term = old.term
    old.signal(signal.SIGSTOP)
    new = _taken_over(old, members)
    n_before = len(old.changes())
    old.signal(signal.SIGCONT)
    said = wait_until(lambda: old.changes()[n_before:], 10, "the frozen one says something")
    assert said[0][1] == 0
    assert new.term > term
    assert _active(members) is new


def test_one_that_ends_in_good_order_is_followed_before_its_session_times_out(patient_members):
    old = _active(patient_members)
    old.terminate()
    assert _taken_over(old, patient_members).term > old.changes()[0][1]


def test_the_broker_restarts_and_one_is_active_again(broker, members):
    _active(members)
    broker.stop()
    broker.start()
    assert _active(members).term > 0


def test_no_two_are_active_at_the_same_moment(broker, members, tmp_path):
    for end in (Member.terminate, Member.kill) * 2:
        old = _active(members)
        end(old)
        _taken_over(old, members)
        members.append(Member(broker, tmp_path, members[0].command[-2]))
    spans = []
    for m in members:
        changes = m.changes()
        for (from_s, term), (until_s, _) in pairwise(changes):
            if term:
                spans.append((from_s, until_s))
    spans.sort()
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
