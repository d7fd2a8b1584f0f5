"""The figure of a distribution: true to the shares, bounded in size, and data are never markup in it."""

import numpy as np
import pytest

from detector.drawing import figure
from detector.drawing.figure import MOST_ROWS, PLOT, TOP
from detector.drawing.svg import distinguished, percent, shortened
from detector.drift.distribution import Bin, Distribution, distribution
from tests.drawing.reading import HOSTILE, is_harmless, parsed, path_of, shapes, texts, titles
from tests.support.factories import baseline_of, training_rows


def _numbers(shares, edges=None, more=()):
    """A numeric feature with the given (reference, current) shares of bins of width 1, or of other edges."""
    edges = range(len(shares) + 1) if edges is None else edges
    bins = [
        Bin(f"bin {i}", "values", float(edges[i]), float(edges[i + 1]), *pair)
        for i, pair in enumerate(shares)
    ]
    return Distribution("x", "float", 1000, 500, (*bins, *more))


def _categories(names, shares=(0.2, 0.1), kind="values"):
    return Distribution("c", "string", 1000, 500, tuple(Bin(n, kind, None, None, *shares) for n in names))


def _column_heights(drawn):
    """Heights of the columns of both sides."""
    reference = [r["height"] for r in shapes(drawn, "reference")]
    tops = [n[0] for c, n in path_of(drawn, "current") if c == "V"][:-1]
    return np.array(reference), TOP + PLOT - np.array(tops)


@pytest.mark.parametrize("scale", ["share", "density"])
def test_columns_are_as_high_as_the_shares_they_stand_for(scale):
    """On both sides, on one scale; in density too where all bins are of one width."""
    shares = [(0.1, 0.4), (0.2, 0.3), (0.3, 0.2), (0.4, 0.1)]
    reference, current = _column_heights(figure(_numbers(shares), scale))
    repeats = len(reference) // 4
    wanted = np.repeat(shares, repeats, axis=0)

    assert reference / reference.max() == pytest.approx(wanted[:, 0] / 0.4, abs=0.01)
    assert current / reference.max() == pytest.approx(wanted[:, 1] / 0.4, abs=0.01)


def test_in_density_a_bin_twice_as_wide_is_half_as_high():
    """So equal areas are equal shares."""
    drawn = figure(_numbers([(0.5, 0.5), (0.5, 0.5)], [0.0, 1.0, 3.0]), "density")
    reference, _ = _column_heights(drawn)

    assert reference[0] == pytest.approx(2 * reference[-1], abs=0.2)
    assert (reference > reference[-1] + 1).sum() == pytest.approx(len(reference) / 3, abs=1)


def test_in_density_one_outlier_does_not_squeeze_the_rest():
    """A tail that holds next to nothing is cut off."""
    shares = [(0.25, 0.25)] * 4 + [(0.0, 0.001)]
    drawn = figure(_numbers(shares, [0, 1, 2, 3, 4, 1e12]), "density")

    assert float(texts(drawn)[-1]) <= 4
    assert len([h for h in _column_heights(drawn)[0] if h > 1]) > 30


def test_few_whole_numbers_have_a_column_each():
    """Also where one of them is missing."""
    rows = [{"x": float(v)} for v in (0, 1, 2, 4)] * 100
    baseline = baseline_of(rows)
    one = baseline.profile.row(0)
    reference, _ = _column_heights(figure(distribution(baseline, one, one, 0), "density"))

    assert (reference > 1).tolist() == [True, True, True, False, True]


def test_values_outside_and_missing_ones_stand_apart():
    """As rows of their own, with an axis, and only where there are any."""
    apart = (Bin("< 0", "outside", None, 0.0, 0.0, 0.25), Bin("missing", "missing", None, None, 0.0, 0.0))
    drawn = figure(_numbers([(1.0, 0.75)], more=apart), "share")

    assert [r["width"] for r in shapes(drawn, "current")] == [25]
    assert "below training" in texts(drawn)
    said = [svg.get("aria-label") for svg in parsed(drawn).findall("svg")]
    assert said[0].endswith(" No value, or outside training: < 0: reference 0.0%, current 25.0%.")
    assert said[1:] == [None]
    assert titles(drawn)[-1] == "< 0: reference 0.0%, current 25.0%"
    assert "missing" not in texts(drawn)


def test_categories_are_rows_in_the_order_they_come():
    """As long as their shares, which stand beside them in figures."""
    bins = (Bin("b", "values", None, None, 0.1, 0.4), Bin("a", "values", None, None, 0.3, 0.2))
    drawn = figure(Distribution("c", "string", 10, 10, bins), "share")

    assert [t for t in texts(drawn) if t in ("a", "b")] == ["b", "a"]
    assert [r["width"] / 100 for r in shapes(drawn, "reference")] == pytest.approx([0.25, 0.75])
    assert [r["width"] / 100 for r in shapes(drawn, "current")] == pytest.approx([1.0, 0.5])
    assert "10.0% \u2192 40.0%" in texts(drawn)


def test_the_pointer_finds_name_and_both_shares():
    """Of columns and rows."""
    assert titles(figure(_numbers([(0.5, 0.25), (0.5, 0.75)]), "share"))[1] == (
        "bin 1: reference 50.0%, current 75.0%"
    )
    assert titles(figure(_categories(["a"]), "share")) == ["a: reference 20.0%, current 10.0%"]


def test_the_gist_is_said_in_words():
    """For those who do not see it."""
    drawing = parsed(figure(_categories(["DE"], (0.5, 0.25)), "share")).find("svg")

    assert drawing.get("role") == "img"
    assert drawing.get("aria-label") == (
        "Distribution of c: reference 1,000 cells, current 500 cells. Largest change: DE from 50.0% to 25.0%."
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_data_are_never_markup(text):
    """Names of features and of bins, whatever they hold, and however long they are."""
    d = _categories([text, "a"])
    for drawn in (figure(Distribution(text, "string", 1, 1, d.bins), "share"), figure(_named(text), "share")):
        assert is_harmless(drawn)
        assert str(drawn).isprintable()
        assert len(drawn) < 5000


def _named(text):
    return Distribution(text, "float", 1, 1, (Bin(text, "values", 0.0, 1.0, 1.0, 1.0),))


@pytest.mark.parametrize("scale", ["share", "density"])
def test_ten_thousand_bins_are_as_large_as_sixty(scale):
    """Neighbours are drawn as one, and nothing of the shares is lost."""
    shares = [(1e-4, 1e-4)] * 10_000
    drawn = figure(_numbers(shares), scale)

    assert len(shapes(drawn, "reference")) <= 60
    assert len(drawn) < 15_000
    assert len(figure(_numbers(shares[:60]), scale)) > len(drawn) / 2


def test_ten_thousand_categories_are_as_large_as_sixty():
    """The last row stands for all that follow."""
    drawn = figure(_categories([f"value {i}" for i in range(10_000)], (1e-4, 1e-4)), "share")

    assert len(titles(drawn)) == MOST_ROWS
    assert titles(drawn)[-1].startswith("9,941 more: reference 99.4%")


@pytest.mark.parametrize("scale", ["share", "density"])
@pytest.mark.parametrize(
    "d",
    [
        _numbers([(0.0, 0.0)]),
        _numbers([(1.0, 1.0)], [5.0, np.nextafter(5.0, 6.0)]),
        _numbers([(0.5, 0.5), (0.5, 0.5)], [-1.7e308, 0.0, 1.7e308]),
        _numbers([(0.5, 0.5), (0.5, 0.5)], [0.0, 5e-324, 1e-323]),
        Distribution("x", "float", 0, 0, ()),
        Distribution("c", "string", 0, 0, ()),
    ],
)
def test_what_hardly_has_a_shape_is_drawn_too(d, scale):
    """Nothing at all, a constant, the widest and the narrowest range; all shapes lie within the drawing."""
    drawn = figure(d, scale)

    assert "nan" not in str(drawn)
    assert "inf" not in str(drawn)
    assert all(0 <= r["x"] <= 100 and r["height"] <= PLOT for r in shapes(drawn, "reference"))


@pytest.mark.parametrize("scale", ["share", "density"])
def test_real_features_keep_their_mass(rng, scale):
    """What the columns stand for adds up to the shares of the values, but for the cut-off tails."""
    baseline = baseline_of(training_rows(rng, 3000))
    one = baseline.profile.row(0)
    for feature in (0, 1):
        drawn = figure(distribution(baseline, one, one, feature), scale)
        shown = [float(t.rsplit("current ", 1)[1][:-1]) for t in titles(drawn) if "<" not in t]
        assert sum(shown) == pytest.approx(100.0, abs=2.0)


def test_small_shares_can_be_told_from_none():
    """A hundredth of a percent is not 0.0%."""
    assert [percent(x) for x in (0.0, 1e-9, 0.0004, 0.012, 1.0)] == [
        "0.0%",
        "<0.01%",
        "0.04%",
        "1.2%",
        "100.0%",
    ]


def test_names_that_begin_alike_can_be_told_apart():
    """In a narrow figure too: the middle is left out, not the end, and the pointer brings up all of it."""
    names = [f"cat_0 value number {i} of a long list of categories" for i in range(3)]
    names = [f"{name} {i}" for i, name in enumerate(names)]
    drawn = figure(_categories(names), "share")
    shown = [t for t in texts(drawn) if t.startswith("cat_0")]

    assert len(set(shown)) == len(shown) == 6
    assert all("\u2026" in t for t in shown)
    assert [t.split(":")[0] for t in titles(drawn)] == names


def test_names_that_differ_in_their_middle_alone_are_shown_from_there():
    """Head and tail would be the same for all of them."""
    names = [f"cat_0 value number {i} of a long list" for i in range(3)]

    assert [str(n) for n in distinguished([*names, "a"], 14)] == [
        "cat\u2026 0 of a lo", "cat\u2026 1 of a lo", "cat\u2026 2 of a lo", "a",
    ]  # fmt: skip


@pytest.mark.parametrize("text", [*HOSTILE, "W" * 15, "\u6f22" * 15])
def test_what_is_shortened_is_no_wider_than_its_room(text):
    """Wide letters count for more, and what fits stays as it is."""
    found = shortened(text, 15).unescape()

    assert len(found) <= 15
    assert found.isprintable()
    assert shortened("kurz & gut", 15).unescape() == "kurz & gut"
    assert len(shortened("\u6f22" * 15, 15)) <= 9


def test_what_stands_for_the_rest_does_not_set_the_scale():
    """Its bar is struck through, and its share is written beside it; the legend says what that means."""
    named = [Bin(f"v{i}", "values", None, None, 0.01, 0.015) for i in range(40)]
    rest = Bin("rare values and 59 more", "rest", None, None, 0.33, 0.3)
    drawn = figure(Distribution("c", "string", 10, 10, (*named, rest)), "share")

    assert min(r["width"] for r in shapes(drawn, "current")) >= 50
    assert [r["width"] for r in shapes(drawn, "reference")][-1] == 100
    assert str(drawn).count('class="cut"') == 1
    assert "33.0% \u2192 30.0%" in texts(drawn)
    assert "longer than the axis" in str(drawn)
    assert 'class="cut"' not in str(figure(Distribution("c", "string", 1, 1, (rest,)), "share"))


def test_rows_below_columns_have_their_axis_which_is_no_shorter_than_that_of_the_columns():
    """So 2.9% without a value do not look like less than a column of 2.9%, nor like more."""
    missing = Bin("missing", "missing", None, None, 0.029, 0.0)
    drawn = figure(_numbers([(0.029, 0.03)] * 30, more=(missing,)), "share")
    row = shapes(drawn, "reference")[-1]["width"]

    assert row == pytest.approx(100 * 0.029 / 0.03, abs=0.01)
    assert texts(drawn).count("0%") == 2
    assert "no value, or outside training: share of cells" in texts(drawn)


def test_next_to_nothing_does_not_fill_a_row_beside_a_density():
    """The axis of rows goes to 10% at least."""
    missing = Bin("missing", "missing", None, None, 0.001, 0.001)
    drawn = figure(_numbers([(0.9, 0.9)], more=(missing,)), "density")

    assert [r["width"] for r in shapes(drawn, "current")] == [pytest.approx(1.0)]


def test_a_density_is_no_share():
    """Its axis is per unit of the value: 1 over a range of 2 is 0.5 high; the heading says which it is."""
    d = _numbers([(0.5, 0.5), (0.5, 0.5)])
    assert "0.4" in texts(figure(d, "density"))
    assert not any("%" in t for t in texts(figure(d, "density")))
    assert "share of cells per unit of the value" in texts(figure(d, "density"))
    assert "40%" in texts(figure(d, "share"))
    assert "share of cells in each column" in texts(figure(d, "share"))


def test_what_the_drawing_leaves_out_is_said():
    """In the legend and for those who do not see it."""
    shares = [(0.001, 0.0)] + [(0.25, 0.2)] * 4 + [(0.0, 0.002)]
    drawn = figure(_numbers(shares, [-1e9, 0, 1, 2, 3, 4, 1e12]), "density")
    above = "0.0% of reference and 0.20% of current lie above 4"
    notes = [e.text for e in parsed(drawn).iter("li") if e.get("class") == "note"]

    assert notes == [
        "not drawn: 0.10% of reference and 0.0% of current lie below 0", f"not drawn: {above}",
    ]  # fmt: skip
    assert f"Not drawn: {above}." in parsed(drawn).find("svg").get("aria-label")
    assert "not drawn" not in str(figure(_numbers(shares[1:5]), "density"))
