"""How many panes may be open: by what one takes, and by how long late events are waited for."""

import pytest

from detector.windows.spec import MAX_OPEN_BYTES, MAX_OPEN_PANES, MIN_OPEN_PANES, WindowSpec

SPEC = WindowSpec(pane_s=60, lengths_s=(600,), lateness_s=120)


@pytest.mark.parametrize("pane_bytes", [0, 1, 1000, MAX_OPEN_BYTES // MAX_OPEN_PANES])
def test_small_panes_wait_by_number(pane_bytes):
    """However little they take."""
    assert SPEC.open_panes(pane_bytes) == MAX_OPEN_PANES


@pytest.mark.parametrize("pane_bytes", [300_000, 1 << 20, 3 << 20])
def test_larger_panes_wait_by_what_they_take(pane_bytes):
    """As many as fit."""
    assert SPEC.open_panes(pane_bytes) == MAX_OPEN_BYTES // pane_bytes


@pytest.mark.parametrize("lateness_s", [0, 120, 7200])
def test_what_lateness_keeps_open_always_fits(lateness_s):
    """And some beside it, for partitions that lag."""
    spec = WindowSpec(pane_s=60, lengths_s=(600,), lateness_s=lateness_s)

    assert spec.open_panes(1 << 30) == lateness_s // 60 + 1 + MIN_OPEN_PANES
