"""How training data vary by themselves, and by the hour: measured where it is there, and only there."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from detector.baseline.file import dump_baseline, load_baseline
from detector.baseline.measure_variation import Slots, measure_season, measure_variation, slot_length
from detector.baseline.variation import Season, Tail, hour_cells
from detector.errors import BaselineError
from tests.support.worlds import Model, World, rng_of

N = 12


@pytest.fixture(scope="module")
def trained():
    """Baselines of 12 features over 28 days, by world."""
    model = Model(N)
    return {name: model.train(World(name, rng_of("variation", name), N)) for name in ("iid", "day", "season")}


def test_data_that_only_sampling_moves_do_not_vary(trained):
    """Beyond noise there is next to nothing: less than .01 in the distances, and no season."""
    iid = trained["iid"]

    assert iid.season is None
    for name in ("hellinger", "kolmogorov_smirnov", "l_infinity"):
        assert np.sqrt(iid.variation.excess[name]).max() < 0.01


def test_a_daily_excursion_is_measured(trained):
    """A mean that moves by sd moves Kolmogorov-Smirnov by sd / sqrt(2 pi): found within a third."""
    model = Model(N)
    world = World("day", rng_of("variation", "day"), N)
    variation = model.train(world).variation
    at = variation.at(3600.0)
    expected = np.hypot(world.sd, 0.02) / np.sqrt(2 * np.pi)
    found = np.sqrt(variation.excess["kolmogorov_smirnov"][at])

    assert variation.lengths_s[at] == 3600.0
    assert np.median(np.abs(found / expected - 1)) < 1 / 3
    assert trained["day"].season is None


def test_what_returns_every_day_is_a_season_and_no_variation(trained):
    """All twelve swing with the hour by 0.4; beside it they vary no more than in the world of days."""
    season, day = trained["season"], trained["day"]
    at = season.variation.at(3600.0)

    assert len(season.season.positions) == N * 66 + 3 * N
    ratio = np.sqrt(season.variation.excess["kolmogorov_smirnov"][at].mean())
    assert ratio < 1.5 * np.sqrt(day.variation.excess["kolmogorov_smirnov"][at].mean())


def test_a_season_expects_what_the_hours_had():
    """Two hours of opposite data: a window half of each expects the mean, with both hours' precision."""
    counts = np.zeros((24, 2), dtype=np.int64)
    counts[3], counts[4] = (100, 0), (0, 300)
    season = Season(counts, np.arange(2), np.array([0, 0, 0, 100, 300] + [0] * 19))
    hours = np.zeros((2, 48))
    hours[0, 3] = 50
    hours[1, 3], hours[1, 24 + 4], hours[1, 5] = 50, 50, 900
    shares, size = season.expected(hours)

    assert shares.tolist() == [[1.0, 0.0], [0.5, 0.5]]
    assert size == pytest.approx([100.0, 1 / (0.25 / 100 + 0.25 / 300)])


@pytest.mark.parametrize(("days", "cells"), [(6.9, 0), (7, 24), (55, 24), (56, 48)])
def test_hours_are_told_apart_where_there_are_enough_of_each(days, cells):
    """A week for the hours of the day, eight for those of weekends."""
    assert hour_cells(days) == cells


def test_a_heavier_tail_reaches_further():
    """The same start and scale: with Student's shape much further out, and no nearer for any chance."""
    alpha = np.array([0.05, 1e-3, 1e-6])
    light, heavy = (Tail(shape, 0.4, 2.0).reach(alpha) for shape in (0.0, 1 / 3))

    assert light[0] == heavy[0] == 2.0
    assert light[2] == pytest.approx(2.0 + 0.4 * np.log(0.05 / 1e-6))
    assert np.all(heavy[1:] > light[1:] * 1.4)


def test_the_longest_measured_length_that_is_no_longer_stands_for_a_window(trained):
    """Shorter windows vary more, so they are on the safe side; below the shortest there is only that."""
    variation = trained["day"].variation

    assert variation.lengths_s[variation.at(5000.0)] <= 5000.0
    assert variation.at(60.0) == 0
    assert variation.at(1e9) == len(variation.lengths_s) - 1


def test_slots_are_as_short_as_memory_allows():
    """Five minutes for a day of few features, longer for more of either, none for decades."""
    assert slot_length(86400.0, 1000) == 300.0
    assert slot_length(28 * 86400.0, 7000) == 900.0
    assert slot_length(365 * 86400.0, 100) == 3600.0
    assert slot_length(100 * 365 * 86400.0, 100_000) is None


def test_no_slots_no_claims(trained):
    """Without timestamps nothing is measured."""
    empty = Slots(300.0, {})

    assert measure_season(trained["iid"], empty) is None
    assert measure_variation(trained["iid"], empty, None) is None


def test_both_survive_the_file(trained):
    """Written and read, they say the same to six digits."""
    before = trained["season"]
    after = load_baseline(dump_baseline(before), "b.json")

    assert np.array_equal(after.season.counts, before.season.counts)
    assert np.array_equal(after.season.positions, before.season.positions)
    for name, table in before.variation.excess.items():
        assert after.variation.excess[name] == pytest.approx(table, rel=1e-5)
    assert after.variation.lengths_s == before.variation.lengths_s
    assert after.variation.tails == before.variation.tails


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("other hours", lambda b: replace(b, season=replace(b.season, positions=b.season.positions + 10**6))),
        ("below 0", lambda b: replace(b, variation=replace(b.variation, looks=-b.variation.looks))),
        (
            "other features",
            lambda b: replace(b, variation=replace(b.variation, looks=b.variation.looks[:, 1:])),
        ),
        ("without tails", lambda b: replace(b, variation=replace(b.variation, tails=()))),
    ],
)
def test_what_makes_no_sense_is_refused(trained, what, change):
    """One line with the remedy, as for any damage."""
    with pytest.raises(BaselineError, match=f"{what}.*rebuild it"):
        load_baseline(dump_baseline(change(trained["season"])), "b.json")


def test_the_file_of_an_older_version_is_read(trained):
    """A file without season, variation, schema and figures is a baseline all the same."""
    bare = replace(trained["iid"], season=None, variation=None)
    text = dump_baseline(bare)

    assert b"variation" not in msgspec.json.decode(text)["content"].keys().__repr__().encode()
    assert load_baseline(text, "b.json").variation is None
