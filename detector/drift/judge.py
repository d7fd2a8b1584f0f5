"""Judging a window against its baseline: three questions for every feature.

*Is it more than chance?*, *is it more than the data vary by themselves?* and *is it large enough to
matter?* A distance d decides when

    d² > critical(a)² + (q b)²   and   d² > min_effect² + noise²

where `critical` is what sampling alone exceeds with chance a at these sizes, b what windows of the
training data showed beyond sampling (root mean square), and q how many b an excursion exceeds with
chance; noise is what sampling makes of d on average. Both chances are shares of the budget of false
alarms (`detector.drift.level`). So a window of a thousand events and one of a million are held to the
same real change, and a feature that moves every day to a larger one than a feature that never does.
The rates (missing, outside, ...) are held to exact chances, and to a part of `min_effect`. A fixed
threshold set by the user replaces either rule.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from detector.baseline import ROUNDING, Baseline
from detector.baseline.variation import Variation
from detector.batch import Bools, Floats, Ints, ModelKey
from detector.distances import Distance, Pair, distances
from detector.drift.change import with_counts
from detector.drift.evaluation import Evaluation, State, States, Statistic
from detector.drift.level import Excursions, Level, common_chance, most_events, rate_p_value
from detector.drift.limits import Limits
from detector.drift.policy import DecisionPolicy
from detector.drift.rates import RATES, expected_rates, rates
from detector.profile import Profile
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile

GATES = ("hellinger", "kolmogorov_smirnov", "l_infinity")
"""Distances that decide unless the user says otherwise; all live on a scale from 0 to 1."""

N_GATES = len(GATES) + len(RATES)
"""Decisions on a feature: the budget is shared between them."""

ALONE = 1e-6
"""Chance that one gate of one feature may take where a single window is judged, as `compare` does."""

RATE_SHARES_OF_EFFECT = {"missing": 0.125}
RATE_SHARE_OF_EFFECT = 0.0625
"""A rate matters when it rises by this part of `min_effect`: at the default of 0.08 half a percent of the
events, of missing values one."""

WARNING_SHARE = 0.7
"""A change of this part of what makes it drift is a warning."""

MAX_EXCESS = 1e9

NOTHING_IN_COMMON = 0.95
"""However much training data vary, a window this far from them is drift: next to nothing is as it was."""

MANY_WINDOWS = 200
"""From so many training windows on, a length knows for itself how its excursions reach."""

MIN_VALUES = 100
"""A distance of fewer values than this decides nothing, however many events the window has."""


class Judge:
    """Judges the windows of one model version. Holds nothing that changes."""

    def __init__(
        self,
        key: ModelKey,
        baseline: Baseline,
        policy: DecisionPolicy,
        slices: Slices | None = None,
        level: Level | None = None,
    ) -> None:
        self.key = key
        self.baseline = baseline
        self.slices = slices if slices is not None else Slices()
        self._policy = policy
        self._limits = Limits.of(baseline, policy, self.slices)
        self._reference = self._reference_profile()
        self._means = _means(self._reference, baseline)
        self._std = _std(self._reference, baseline)
        rows = self._reference_rows()
        self._expected = {name: values[rows] for name, values in expected_rates(baseline).items()}
        self._level = level
        self._alpha = ALONE if level is None else level.sampling(N_GATES)
        self._natural: dict[int, dict[str, Floats]] = {}

    @property
    def policy(self) -> DecisionPolicy:
        """What the user set."""
        return self._policy

    def _reference_rows(self) -> list[int]:
        """Return the baseline's row for each slice: its own if it has one, else all training data."""
        own = Slices(self.baseline.slices).names
        return [own.index(name) if name in own else 0 for name in self.slices.names]

    def _reference_profile(self) -> Profile:
        rows, whole = self._reference_rows(), self.baseline.profile
        return Profile(
            whole.counts[rows], whole.sums[rows], whole.squares[rows], whole.low[rows], whole.high[rows]
        )

    def reference(self, row: int) -> Profile:
        """Return the training side that slice `row` is held against, as a profile of one row."""
        return self._reference.row(row)

    def evaluate(self, window: WindowProfile) -> Evaluation:
        """Judge one window: every statistic, the state of every feature and of the whole."""
        layout = self.baseline.layout
        n = window.profile.counts[:, layout.events]
        reference, natural = self._expected_counts(window), self._natural_squares(window)
        statistics = self._distances(window.profile, reference, natural)
        statistics |= self._rates(window.profile, reference, natural)
        names = tuple(name for name in statistics if np.isfinite(statistics[name].threshold).any())
        excess = np.zeros((len(names), *n.shape, len(layout.features)))
        for i, name in enumerate(names):
            found = statistics[name]
            with np.errstate(divide="ignore", invalid="ignore"):
                over = found.value / found.threshold
            # A value without a threshold is over nothing; any value is over a threshold of 0.
            excess[i] = np.where(np.isnan(over), 0.0, np.minimum(over, MAX_EXCESS))
        enough = n >= self._policy.min_samples
        told = layout.cells(window.profile.counts) >= self._policy.min_samples
        state = self._states(statistics, names, told & enough[:, None])
        drifted_ratio, dataset_state = self.whole(state, enough)
        return Evaluation(
            self.key,
            layout.features,
            self.slices.names,
            window,
            n.copy(),
            statistics,
            state,
            names,
            excess,
            dataset_state,
            drifted_ratio,
        )

    def _expected_counts(self, window: WindowProfile) -> Ints:
        """Return the training side of the window (S, width): of seasonal features, that of its own hours."""
        season, whole = self.baseline.season, self._reference.counts
        if season is None or window.hours is None:
            return whole
        shares, size = season.expected(window.hours)
        # Slices with a reference of their own know no hours of their own.
        rows = [i for i, row in enumerate(self._reference_rows()) if row == 0 and size[i] > 0]
        reference = whole.copy()
        for i in rows:
            reference[i, season.positions] = np.rint(shares[i] * size[i]).astype(np.int64)
        return reference

    def expected(self, window: WindowProfile, row: int) -> Profile:
        """Return what slice `row` of a window is held against, of its own hours where they are known."""
        whole, counts = self.reference(row), self._expected_counts(window)[row : row + 1]
        same = np.array_equal(counts, whole.counts)
        return whole if same else with_counts(self.baseline, whole, counts)

    def _natural_squares(self, window: WindowProfile) -> dict[str, Floats]:
        """Return (q b)² by statistic (F): what such windows exceed by themselves with chance.

        A window that has events of a part of its length only (it fills up, or there was a gap) varies like
        a window of that length.
        """
        variation = self.baseline.variation
        at = None
        if variation is not None:
            at = variation.at(window.length_s if window.covered_s is None else window.covered_s)
        if variation is None or at is None:
            return {}
        if at not in self._natural:
            self._natural[at] = self._measured_squares(variation, at)
        return self._natural[at]

    def _measured_squares(self, variation: Variation, at: int) -> dict[str, Floats]:
        # A long window is a mixture of short ones, and lies no further out than they do (the distances are
        # convex): so what few long training windows leave open, many short ones bound.
        lengths = [at] if variation.windows[at] >= MANY_WINDOWS else range(at + 1)
        reached = {i: self._reach(variation, i) for i in lengths}
        return {
            name: np.min([reached[i][name in RATES] ** 2 * table[i] for i in lengths], axis=0)
            for name, table in variation.excess.items()
        }

    def _reach(self, variation: Variation, at: int) -> tuple[Floats, Floats]:
        """Return how many root mean squares distances and rates may reach (F), at one length of windows."""
        level = self._level or Level(1.0, len(self.baseline.features))
        effect = np.where(self._limits.ignored, np.inf, self._limits.min_effect)
        with np.errstate(divide="ignore"):
            units = {name: effect / np.sqrt(table[at]) for name, table in variation.excess.items()}
        of_distances, of_rates = Excursions.of_distances(variation, at), Excursions.of_rates(variation, at)
        guarded = [(of_distances, np.min([units[name] for name in GATES if name in units], axis=0))]
        guarded += [(of_rates, _rate_share(name) * units[name]) for name in RATES if name in units]
        alpha = common_chance(variation.looks[at], guarded, level.natural)
        return of_distances.reach(alpha), of_rates.reach(alpha)

    def _distances(
        self, current: Profile, reference: Ints, natural: Mapping[str, Floats]
    ) -> dict[str, Statistic]:
        layout = self.baseline.layout
        pair = Pair(
            reference[:, : layout.n_bins],
            current.counts[:, : layout.n_bins],
            layout.segments,
            self._means,
            _means(current, self.baseline),
            self._std,
        )
        return {name: self._distance(distance, pair, natural.get(name, 0.0)) for name, distance in distances}

    def _distance(self, distance: Distance, pair: Pair, natural: Floats | float) -> Statistic:
        of = pair.ordered if distance.ordered else pair
        n_features = len(self.baseline.features)
        with np.errstate(invalid="ignore"):
            found = distance.measure(of)
            floor = distance.noise_floor(of) if distance.noise_floor else np.full_like(found, np.nan)
            p_value = distance.p_value(of, found) if distance.p_value else np.full_like(found, np.nan)
            value, noise = _padded(found, n_features), _padded(floor, n_features)
            chance = np.full_like(found, np.nan)
            if distance.name in GATES and distance.critical is not None:
                chance = distance.critical(of, floor, self._alpha)
        measured = Statistic(value, value, noise, _padded(p_value, n_features), _padded(chance, n_features))
        threshold = self._threshold(distance.name, measured, natural)
        threshold[np.broadcast_to(pair.n, threshold.shape) < MIN_VALUES] = np.nan
        return replace(measured, threshold=threshold)

    def _rates(
        self, current: Profile, reference: Ints, natural: Mapping[str, Floats]
    ) -> dict[str, Statistic]:
        layout = self.baseline.layout
        n = layout.cells(current.counts).astype(np.float64)
        m = np.maximum(layout.cells(reference).astype(np.float64), 1.0)
        found = {}
        for name, value in rates(layout, current).items():
            expected = self._expected[name]
            if name in layout.odd:
                expected = reference[:, layout.odd[name]] / m
            # Half an event added on the training side: never seen is not the same as impossible.
            share = (expected * m + 0.5) / (m + 1.0)
            with np.errstate(divide="ignore", invalid="ignore"):
                noise = np.sqrt(share * (1.0 - share) * (1.0 / n + 1.0 / m))
                chance = most_events(expected * m, n, m, self._alpha) / n - expected
            p_value = rate_p_value(value * n, n, expected * m, m)
            measured = Statistic(value, value, expected + noise, p_value, np.maximum(chance, 0.0), expected)
            threshold = self._threshold(name, measured, natural.get(name, 0.0))
            found[name] = replace(measured, threshold=threshold)
        return found

    def states_of(self, evaluation: Evaluation) -> States:
        """Return the states (S, F) of a window that a judge has measured who differs in `min_effect` only."""
        natural = self._natural_squares(evaluation.window)
        statistics = {}
        for name in evaluation.worst:
            measured = evaluation.statistics[name]
            threshold = self._threshold(name, measured, natural.get(name, 0.0))
            threshold[np.isnan(measured.threshold)] = np.nan
            statistics[name] = replace(measured, threshold=threshold)
        return self._states(statistics, evaluation.worst, evaluation.state != State.INSUFFICIENT)

    def _threshold(self, name: str, measured: Statistic, natural: Floats | float) -> Floats:
        auto = np.full_like(measured.value, np.nan)
        if name in RATES:
            auto = self._rate_threshold(name, measured, natural)
        elif name in GATES:
            auto = self._distance_threshold(measured, natural)
        fixed = self._limits.fixed[name]
        threshold = np.array(np.broadcast_to(np.where(np.isnan(fixed), auto, fixed), measured.value.shape))
        threshold[self._limits.off[name] | ~self._limits.is_judged] = np.nan
        threshold[np.isnan(measured.value)] = np.nan
        return threshold

    def _distance_threshold(self, measured: Statistic, natural: Floats | float) -> Floats:
        chance = measured.chance
        with np.errstate(invalid="ignore"):
            by_itself = np.minimum(np.sqrt(chance**2 + natural), np.maximum(chance, NOTHING_IN_COMMON))
            threshold: Floats = np.maximum(np.hypot(self._limits.min_effect, measured.noise_floor), by_itself)
        return threshold

    def _rate_threshold(self, name: str, measured: Statistic, natural: Floats | float) -> Floats:
        with np.errstate(invalid="ignore"):
            by_itself = measured.expected + np.hypot(measured.chance, np.sqrt(natural))
            matters = measured.noise_floor + _rate_share(name) * self._limits.min_effect
            threshold: Floats = np.minimum(np.maximum(by_itself, matters), 1.0)
        return threshold

    def _states(self, statistics: dict[str, Statistic], names: tuple[str, ...], enough: Bools) -> States:
        state = np.zeros((len(enough), len(self.baseline.features)), dtype=np.int8)
        for name in names:
            found = statistics[name]
            # The part of the threshold that is noise or expectation is no warning sign.
            floor = np.where(np.isnan(found.noise_floor), 0.0, found.noise_floor)
            warning = floor + WARNING_SHARE * (found.threshold - floor)
            with np.errstate(invalid="ignore"):
                state = np.maximum(state, np.where(found.value > warning, State.WARNING, State.OK))
                state = np.maximum(state, np.where(found.value > found.threshold, State.DRIFT, State.OK))
        state[~enough] = State.INSUFFICIENT
        return state.astype(np.int8)

    def whole(self, state: States, enough: Bools) -> tuple[Floats, States]:
        """Judge the model as a whole, by slice: the weighted share of drifted features, and its state.

        `state` is (..., S, F), `enough` (..., S) says where there are events enough to judge.

        One feature's drift is no drift of the model: it takes two, or one that is the only one, or that
        the user made to carry the share alone. So every false alarm of the whole takes two of features,
        and at most half as many can be expected as of these, however features hang together.
        """
        limits = self._limits
        total = np.maximum(limits.weight.sum(axis=-1), 1e-300)
        # The least part that a share of 3 of 10 must not miss by rounding.
        least = self._policy.dataset_share * (1.0 - 1e-9)
        weighs = limits.weight > 0
        drifts = (state == State.DRIFT) & weighs
        ratio = (drifts * limits.weight).sum(axis=-1) / total
        carries = limits.is_weighed & (limits.weight >= least * total[:, None])
        is_several = drifts.sum(axis=-1) >= np.clip(weighs.sum(axis=-1), 1, 2)
        is_enough = is_several | (drifts & carries).any(axis=-1)
        warns = np.where(ratio >= WARNING_SHARE * least, State.WARNING, State.OK)
        whole = np.where((ratio >= least) & is_enough, State.DRIFT, warns)
        whole = np.where(enough, whole, State.INSUFFICIENT)
        return np.where(enough, ratio, np.nan), whole.astype(np.int8)


def _rate_share(name: str) -> float:
    return RATE_SHARES_OF_EFFECT.get(name, RATE_SHARE_OF_EFFECT)


def _padded(values: Floats, n_features: int) -> Floats:
    """Fill up the columns of features that an ordered distance is not taken of."""
    if values.shape[-1] == n_features:
        return values
    padded = np.full((*values.shape[:-1], n_features), np.nan)
    padded[..., : values.shape[-1]] = values
    return padded


def _means(profile: Profile, baseline: Baseline) -> Floats:
    """Mean of the values in each numeric bin (S, B), NaN for an empty one."""
    counts = profile.counts[:, : baseline.layout.n_numeric_bins]
    with np.errstate(divide="ignore", invalid="ignore"):
        means: Floats = profile.sums / np.where(counts > 0, counts, np.nan)
    return means


def _std(profile: Profile, baseline: Baseline) -> Floats:
    """Standard deviation about the training mean of each numeric feature (S, N), NaN without values."""
    layout = baseline.layout
    n = len(layout.features.numeric)
    if n == 0:
        return np.zeros((len(profile.counts), 0))
    values = np.add.reduceat(profile.counts[:, : layout.n_numeric_bins], layout.segments.starts[:n], axis=1)
    std = np.sqrt(profile.squares / np.where(values > 0, values, np.nan))
    # What rounding leaves of a constant is no spread.
    return np.where(std <= ROUNDING * np.abs(baseline.centers), 0.0, std)
