"""Of the members of a group exactly one is given the duty, and it keeps it."""

from typing import Any, NamedTuple

import pytest

from detector.sources.kafka_one import ACTIVE, OneActive


class Member(NamedTuple):
    member_id: str
    group_instance_id: str | None
    metadata: Any


def _member(name, claims, instance_id=None):
    assignor = OneActive(lambda: claims, lambda *_: None)
    return Member(name, instance_id, assignor.metadata(["events"]))


def _chosen(*members):
    assigned = OneActive(lambda: 0, lambda *_: None).assign(None, members)
    assert set(assigned) == {member.member_id for member in members}
    return [name for name, assignment in assigned.items() if assignment.user_data == ACTIVE]


def test_who_has_the_duty_keeps_it_whoever_joins():
    assert _chosen(_member("a", 0), _member("b", 7), _member("c", 0)) == ["b"]


def test_of_two_who_claim_it_the_later_generation_counts():
    assert _chosen(_member("a", 7), _member("b", 10), _member("c", 9)) == ["b"]


def test_without_one_who_has_it_the_first_by_name_gets_it_whatever_the_order():
    members = [_member("b", 0), _member("c", 0), _member("a", 0)]
    assert _chosen(*members) == _chosen(*reversed(members)) == ["a"]


@pytest.mark.parametrize("data", [None, b"", b"-1", b"x", b"\xff", b"9" * 5000])
def test_a_claim_that_is_no_number_claims_nothing(data):
    odd = _member("b", 0)
    odd.metadata.user_data = data
    assert _chosen(_member("a", 0), odd, _member("c", 3)) == ["c"]


def test_nobody_is_given_a_partition_to_fetch():
    assigned = OneActive(lambda: 0, lambda *_: None).assign(None, [_member("a", 0), _member("b", 0)])
    assert not any(list(assignment.partitions()) for assignment in assigned.values())
