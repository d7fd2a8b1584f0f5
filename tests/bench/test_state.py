"""Keeping state: how long the loop waits and the writing takes, beside pickle and no memory of parts."""

import pickle
import time

import numpy as np
import pytest

from detector.batch import Columns, Partition
from detector.pipeline import Pipeline
from detector.state import Cut, DirectoryStore
from detector.state.encoding import Encoder
from detector.tree import Frozen
from detector.watched import Monitored
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, baseline_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SPEC = WindowSpec()
"""Panes of a minute, windows of 10 minutes, an hour and a day."""

N_EVENTS = 500
"""A minute."""

ROUNDS = 11


@pytest.mark.parametrize("n_features", [40, 200])
def test_a_cut_of_full_windows(capsys, tmp_path, n_features):
    """The loop hands out references; of a cut only the panes that are new since the last are encoded."""
    rng = np.random.default_rng(5)
    names = [f"f{i}" for i in range(n_features)]
    rows = rng.normal(size=(4000, n_features)).tolist()
    pipeline = Pipeline(
        SPEC, {KEY: Monitored(baseline_of([dict(zip(names, row, strict=True)) for row in rows]))}
    )
    windows = pipeline.watched[KEY].windows
    blocks = [Columns(N_EVENTS, rng.normal(size=(n_features, N_EVENTS)), ()) for _ in range(7)]

    def minute(pane):
        windows.add(blocks[pane % 7], np.full(N_EVENTS, 60.0 * pane), None)
        windows.close(pane)

    n_minutes = 3 * 1440
    for pane in range(n_minutes):
        minute(pane)
    store = DirectoryStore(tmp_path)
    first, size = _timed(lambda: store.save(_cut(pipeline, 1)))
    pauses, writes, fresh, pickled = [], [], [], []
    for i in range(ROUNDS):
        minute(n_minutes + i)
        pause, tree = _timed(pipeline.remember)
        write, size = _timed(lambda i=i, tree=tree: store.save(Cut(tree, {}, sequence=i + 2)))
        pauses.append(pause)
        writes.append(write)
        fresh.append(_timed(lambda tree=tree: Encoder().encode(Cut(tree, {})))[0])
        pickled.append(_timed(lambda tree=tree: pickle.dumps(_plain(tree), 5)))
    encoded = _steady(pipeline, minute, n_minutes + ROUNDS)
    store.close()
    by_pickle, n_pickled = min(pickled)[0], len(pickled[0][1])
    with capsys.disabled():
        print(f"\n{n_features} features, windows of 10m, 1h, 24h and three days of history, all full:")
        print(f"  the loop waits                      {_ms(pauses)}")
        print(f"  first cut encoded and written       {first * 1e3:9.1f} ms")
        print(f"  a cut a minute later, both          {_ms(writes)}   {size / 1e6:5.1f} MB")
        print(f"  of that encoded                     {_ms(encoded)}")
        print(f"  encoded without memory of parts     {_ms(fresh)}   ratio {min(fresh) / min(encoded):.1f}")
        print(f"  pickle.dumps                        {by_pickle * 1e3:9.1f} ms   {n_pickled / 1e6:5.1f} MB")

    assert min(encoded) < min(fresh) / 4
    assert size < n_pickled / 1.5


def _steady(pipeline, minute, pane):
    """Return the seconds that it takes to encode cuts a minute apart, but the first."""
    encoder, took = Encoder(), []
    for i in range(ROUNDS):
        minute(pane + i)
        tree = pipeline.remember()
        took.append(_timed(lambda tree=tree: encoder.encode(Cut(tree, {})))[0])
    return took[1:]


def _cut(pipeline, sequence):
    return Cut(pipeline.remember(), {Partition("t", 0): 1}, sequence=sequence)


def _plain(tree):
    if isinstance(tree, Frozen):
        return _plain(tree.value)
    if isinstance(tree, dict):
        return {name: _plain(item) for name, item in tree.items()}
    return [_plain(item) for item in tree] if isinstance(tree, list) else tree


def _timed(run):
    started = time.perf_counter()
    found = run()
    return time.perf_counter() - started, found


def _ms(took):
    return f"{np.median(took) * 1e3:9.1f} ms, at most {max(took) * 1e3:.1f}"
