"""The long runs that `make soak` starts do run: what only people start breaks unseen."""

import json

from tests.faults import soak


def test_a_short_soak_counts_every_event(capsys, monkeypatch):
    """Its own measure of memory means nothing in a few seconds, so only the books are looked at."""
    monkeypatch.setattr("sys.argv", ["soak", "--events", "60000"])
    soak.main()
    found = json.loads(capsys.readouterr().out)

    assert found["events"] >= 60_000
    assert (found["not_counted"], found["cuts_failed"]) == (0, 0)
