"""The judging core: decoded events in, evaluations and alert transitions out.

    feed:  future? late?  ->  panes  ->  (watermark passes a pane's end)  ->  windows  ->  judge  ->  alerts

No I/O, no clock, no threads: time comes in as an argument. All that changes is here: the windows of
each model version, the watermark, the alert book and the counters.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from detector.alerts import AlertBook, Transition, ended, firing_in
from detector.anomaly import Anomaly
from detector.anomaly_alerts import AnomalyBook
from detector.baseline.learning import Knowledge
from detector.batch import Bools, Decoded, Floats, Loss, ModelKey, Partition, Sighting
from detector.counters import Counters
from detector.drift.evaluation import Evaluation, State
from detector.following import explain_rest, follow, told_again
from detector.outcome import Judged, Outcome, Recalled, with_anomalies
from detector.past_alerts import PastAlerts
from detector.runs import AlertPolicy
from detector.tree import Tree, dict_of, float_of, int_of, list_of, texts_of
from detector.watched import Monitored, Watched
from detector.windows.arrivals import Arrivals
from detector.windows.pieces import pieces
from detector.windows.rebuild import RebuildPoint
from detector.windows.spec import WindowSpec
from detector.windows.windows import Windows

__all__ = ["Judged", "Outcome", "Pipeline", "Recalled"]

MAX_GONE = 1000
"""Model versions no longer watched whose counters are kept for when they come back: those that left last."""


class Pipeline:
    """Windows, decisions and alerts of all model versions."""

    def __init__(
        self, spec: WindowSpec, models: Mapping[ModelKey, Monitored], alerts: AlertPolicy | None = None
    ) -> None:
        self._spec = spec
        self._watched = {key: Watched(key, monitored, spec) for key, monitored in models.items()}
        self._arrivals = Arrivals(spec)
        self._closed_before: int | None = None
        self.alerts = AlertBook(alerts or AlertPolicy())
        self.anomalies = AnomalyBook(self.alerts.policy)
        self.counters = Counters()
        self.latest: dict[tuple[ModelKey, float], Judged] = {}
        self._gone: dict[ModelKey, None] = {}
        self.past = PastAlerts()

    @property
    def spec(self) -> WindowSpec:
        """How event time is cut."""
        return self._spec

    @property
    def watched(self) -> Mapping[ModelKey, Watched]:
        """The model versions."""
        return self._watched

    def go_on_as(self, other: "Pipeline") -> tuple[Transition, ...]:
        """Take on the settings and model versions of `other`; return the alerts that end with that.

        `other` is new, and is not used afterwards. Watermark and counters go on. A version of which events
        are still counted in the same places keeps its windows and its alerts, and is judged in the new way
        from the next pane on. Any other begins with empty windows; the alerts that fire on what it was, or
        on a version that is no longer watched, end here: nobody could follow them.
        """
        before, pane_s = self._watched, self._spec.pane_s
        closed_s = None if self._closed_before is None else self._closed_before * pane_s
        is_cut_alike = self._spec.cuts_like(other.spec)
        after = {key: watched.after(before.get(key), is_cut_alike) for key, watched in other.watched.items()}
        kept = {key for key, watched in after.items() if key in before and watched.goes_on_from(before[key])}
        self._spec, self._watched = other.spec, after
        self._arrivals.use(other.spec)
        self.alerts.policy, self.anomalies.policy = other.alerts.policy, other.anomalies.policy
        self.latest = {place: judged for place, judged in self.latest.items() if place[0] in kept}
        if self._closed_before is not None and closed_s is not None:
            if pane_s != self._spec.pane_s:
                self._closed_before = math.floor(closed_s / self._spec.pane_s)
            for key in after.keys() - kept:
                after[key].windows.close(self._closed_before - 1)
        self._remember_gone(before)
        ended: list[Transition] = []
        for key in [key for key in before if key not in kept]:
            ended += self.alerts.forget(key, closed_s or 0.0)
            ended += self.anomalies.forget(key, closed_s or 0.0)
        self.past.add(ended)
        return tuple(ended)

    def _remember_gone(self, before: Iterable[ModelKey]) -> None:
        """Keep the counters of versions that are no longer watched, of not too many."""
        gone = dict.fromkeys([*self._gone, *before])
        self._gone = {key: None for key in gone if key not in self._watched}
        while len(self._gone) > MAX_GONE:
            oldest = next(iter(self._gone))
            del self._gone[oldest]
            self.counters.forget(oldest)
            self.counters.shed["departed_versions"] += 1

    def anew(self) -> "Pipeline":
        """Return another one with the same settings that has taken in nothing."""
        models = {key: watched.monitored for key, watched in self._watched.items()}
        return Pipeline(self._spec, models, self.alerts.policy)

    def rebuild_points(self) -> Mapping[Partition, RebuildPoint]:
        """Return from where to read each partition so that the windows come out again, without a cut."""
        closed = self._closed_before
        return self._arrivals.points(self._first_s, None if closed is None else closed * self._spec.pane_s)

    def rebuild_from(self, points: Mapping[Partition, RebuildPoint]) -> None:
        """Begin where records are read again, from these points on; nothing has been taken in yet.

        Panes that had been judged are counted again and bring no outcome: no alert, no evaluation. Once
        everything is read again the windows have the counts they had, and go on so. That holds for all
        that offsets tell: what had been `future` may be in time now, `accepted` and `late` count again,
        and what does not come out of windows (alerts, learning, the latest events) begins anew.
        """
        self._arrivals.begin(points)
        closed_s = [p.closed_before_s for p in points.values() if p.closed_before_s is not None]
        if closed_s:
            self._stand_at(max(closed_s))

    def _stand_at(self, closed_s: float) -> None:
        """Let empty windows end where everything before `closed_s` has been judged."""
        self._closed_before = math.floor(closed_s / self._spec.pane_s)
        for watched in self._watched.values():
            watched.windows.close(self._closed_before - 1)

    def remember(self) -> Tree:
        """Return all that is known, between two polls.

        Nothing in it changes afterwards, so another thread may write it down.
        """
        return {
            "pane_s": float(self._spec.pane_s),
            "lengths_s": [float(length_s) for length_s in sorted(self._spec.lengths_s)],
            "arrivals": self._arrivals.remember(),
            "closed_before": self._closed_before,
            "counters": self.counters.remember(),
            "gone": [[*key] for key in self._gone],
            "past": self.past.remember(),
            "models": [
                {
                    "key": [*key],
                    "watched": watched.remember(),
                    "alerts": self.alerts.remember(key),
                    "anomalies": self.anomalies.remember(key),
                }
                for key, watched in self._watched.items()
            ],
        }

    def recall(self, tree: Tree) -> Recalled:
        """Take on what another pipeline remembered, as far as it fits; this one has taken in nothing yet.

        Afterwards it goes on as the other one would have. What was counted in other places than today
        begins anew: single features and slices, or, where panes are cut in another way, all windows.

        Raises:
            ValueError: the tree is nothing such; this pipeline must not be used any more.
        """
        read = dict_of(tree)
        pane_s = float_of(read["pane_s"])
        lengths_s = [float_of(item) for item in list_of(read["lengths_s"])]
        is_cut_alike = (pane_s, lengths_s) == (self._spec.pane_s, sorted(self._spec.lengths_s))
        self._arrivals.recall(read["arrivals"])
        self.counters = Counters.recall(read["counters"])
        self._gone = {ModelKey(*pair): None for pair in map(texts_of, list_of(read["gone"]))}
        closed_s = None
        if read["closed_before"] is not None:
            closed_s = int_of(read["closed_before"]) * pane_s
            self._closed_before = math.floor(closed_s / self._spec.pane_s)
        # Earlier versions did not keep them.
        self.past.recall(read.get("past", []))
        recalled = Recalled([], [])
        known = {ModelKey(*texts_of(dict_of(m)["key"])): dict_of(m) for m in list_of(read["models"])}
        for key, model in known.items():
            self._recall_model(key, model, is_cut_alike, closed_s or 0.0, recalled)
        if self._closed_before is not None:
            for key in self._watched.keys() - (known.keys() if is_cut_alike else set()):
                self._watched[key].windows.close(self._closed_before - 1)
        self._remember_gone(known)
        self.past.add(recalled.ended)
        return recalled

    def _recall_model(
        self, key: ModelKey, model: Mapping[str, Tree], is_cut_alike: bool, at_s: float, recalled: Recalled
    ) -> None:
        watched = self._watched.get(key)
        if watched is None or not is_cut_alike:
            why = "it is no longer watched" if watched is None else "panes or windows have other lengths"
            recalled.dropped.append(f"model {key.model} {key.version}: windows begin anew, {why}")
            for book in (model["alerts"], model["anomalies"]):
                recalled.ended.extend(ended(alert, at_s) for alert in firing_in(book))
            return
        fit, dropped = watched.recall(model["watched"])
        recalled.dropped.extend(dropped)
        recalled.ended.extend(self.alerts.recall(model["alerts"], key, fit, at_s))
        recalled.ended.extend(self.anomalies.recall(model["anomalies"], key, fit, at_s))
        for window in watched.windows.as_they_are(self._arrivals.lost_until_s):
            self._show(watched.judge.evaluate(window), watched.broken_by(window))

    def feed(self, decoded: Decoded, now_s: float) -> Iterator[Outcome]:
        """Take in one poll; yield the outcome of every pane that it closes, in order.

        `now_s` is the wall time: events stamped later by more than `max_future` are rejected. The
        events are taken in as the iterator is consumed, so consume all of it.
        """
        self._count_records(decoded)
        time_s = decoded.time_s.copy()
        with np.errstate(invalid="ignore"):
            future = time_s > now_s + self._spec.max_future_s
        self._reject(decoded, future, "future")
        time_s[future] = np.nan
        for first, end in pieces(time_s, self._spec.pane_s, self.max_open_panes):
            self._add(decoded, time_s, first, end)
            yield from self._close_panes()

    def quiet(self, idle: Iterable[Partition], silent_for_s: float) -> Iterator[Outcome]:
        """Say which partitions have nothing to read, and for how long no partition has had anything.

        While the whole stream is silent, event time goes on at the pace of the clock from the last
        event: windows run empty and become `insufficient`; they do not stay `ok`.
        """
        self._arrivals.quiet(idle, silent_for_s, self._spec.lateness_s)
        yield from self._close_panes()

    def lose(self, losses: Iterable[Loss]) -> None:
        """Say which records can never be read, before what comes after them is fed.

        Every window that may lack one of them is incomplete as it is judged from now on. A number that is
        not known counts as one.
        """
        open_s = [pane * self._spec.pane_s for pane in self._open_panes()]
        for loss in losses:
            self.counters.lost[loss.partition.topic, loss.reason] += max(loss.n, 1)
            self._arrivals.lose(loss, open_s)

    def finish(self) -> Iterator[Outcome]:
        """Close every open pane: nothing more will come."""
        open_panes = self._open_panes()
        if open_panes:
            self._arrivals.watermark.advance_to((open_panes[-1] + 1) * self._spec.pane_s)
        yield from self._close_panes()

    @property
    def knowledge(self) -> dict[ModelKey, Knowledge]:
        """What the thresholds of each model version rest on."""
        return {key: watched.knowledge for key, watched in self._watched.items()}

    @property
    def max_event_time_s(self) -> float:
        """Largest event time seen; -inf before the first event."""
        return self._arrivals.watermark.max_time_s

    @property
    def firing(self) -> tuple[Transition, ...]:
        """Every alert that fires now."""
        return (*self.alerts.firing.values(), *self.anomalies.firing.values())

    @property
    def watermark_s(self) -> float:
        """Event time up to which panes are closed; -inf before the first event."""
        return self._arrivals.watermark.time_s

    def event_time_of(self, partition: Partition) -> float | None:
        """Return the largest event time seen in a partition, None before its first event."""
        return self._arrivals.watermark.time_of(partition)

    def _count_records(self, decoded: Decoded) -> None:
        per_partition = np.bincount(decoded.partition, minlength=len(decoded.partitions))
        for partition, n in zip(decoded.partitions, per_partition.tolist(), strict=True):
            if n:
                self.counters.consumed[partition.topic] += n
        self.counters.rejected.update(decoded.rejected)
        self.counters.labels += decoded.n_labels

    def _reject(self, decoded: Decoded, which: Bools, reason: str, first: int = 0) -> None:
        for row in (first + np.flatnonzero(which)).tolist():
            self.counters.rejected[decoded.partitions[decoded.partition[row]].topic, reason] += 1
            decoded.reasons[row] = reason

    def _add(self, decoded: Decoded, time_s: Floats, first: int, end: int) -> None:
        """Count the events of records first..end into their panes."""
        here = time_s[first:end]
        which, offset = decoded.partition[first:end], decoded.offset[first:end]
        late = self._arrivals.admit(here, which, offset, decoded.partitions, self._first_s)
        self._reject(decoded, late, "late", first)
        kept_time_s = np.where(late, np.nan, here)
        for batch in decoded.batches:
            inside = (batch.rows >= first) & (batch.rows < end)
            times = np.full(len(batch.rows), np.nan)
            times[inside] = kept_time_s[batch.rows[inside] - first]
            kept = ~np.isnan(times)
            n = int(kept.sum())
            if not n:
                continue
            columns = batch.columns if n == len(kept) else batch.columns.take(kept)
            windows = self._watched[batch.key].windows
            windows.add(columns, times[kept], self._closed_before)
            self._note(windows, batch.sightings, kept_time_s, first)
            self.counters.accepted[batch.key] += n

    def _note(self, windows: Windows, sightings: Iterable[Sighting], time_s: Floats, first: int) -> None:
        """Keep what events say of their columns, of those among the records from `first` on with a time."""
        for sighting in sightings:
            at = sighting.row - first
            if 0 <= at < len(time_s) and not math.isnan(time_s[at]):
                windows.note(sighting, float(time_s[at]))
        self.counters.shed["new_columns"] += windows.take_unnamed()

    @property
    def _first_s(self) -> float:
        """Event time from which on windows reach events; -inf while nothing has closed."""
        if self._closed_before is None:
            return -math.inf
        return min(watched.windows.first_pane for watched in self._watched.values()) * self._spec.pane_s

    @property
    def max_open_panes(self) -> int:
        """Panes that wait for a slow partition at most; beyond that the oldest are judged without it."""
        return self._spec.open_panes(sum(w.windows.pane_bytes for w in self._watched.values()))

    def _open_panes(self) -> list[int]:
        return sorted({pane for watched in self._watched.values() for pane in watched.windows.open_panes})

    def _close_panes(self) -> Iterator[Outcome]:
        reached = self._arrivals.watermark.time_s
        open_panes = self._open_panes()
        if not np.isfinite(reached) or (self._closed_before is None and not open_panes):
            return
        end = int(np.floor(reached / self._spec.pane_s))
        if len(open_panes) > self.max_open_panes:
            forced = open_panes[-self.max_open_panes]
            given_up = sum(end <= pane < forced for pane in open_panes)
            self.counters.shed["open_panes"] += given_up
            end = max(end, forced)
        if self._closed_before is None:
            if open_panes[0] >= end:
                # Until the first pane closes, an earlier one may still come.
                return
            self._closed_before = open_panes[0]
        while self._closed_before < end:
            waiting = self._open_panes()
            if all(watched.windows.is_empty for watched in self._watched.values()):
                # Nothing to see until the next event: a long gap is skipped, not walked through.
                self._closed_before = min(end, waiting[0]) if waiting else end
                for watched in self._watched.values():
                    # Their ends go along: by them it is told which late events are still counted.
                    watched.windows.close(self._closed_before - 1)
                if self._closed_before >= end:
                    break
            pane = self._closed_before
            self._closed_before = pane + 1
            yield self._close(pane)

    def _close(self, pane: int) -> Outcome:
        judged: list[Judged] = []
        transitions: list[Transition] = []
        for key, watched in self._watched.items():
            counts = watched.windows.open_counts(pane)
            evaluations = watched.close(pane, self._arrivals.lost_until_s)
            self.counters.shed["new_columns"] += watched.windows.take_unnamed()
            anomalies = [watched.broken_by(evaluation.window) for evaluation in evaluations]
            pairs = list(zip(evaluations, anomalies, strict=True))
            follow(self.alerts.firing, evaluations, watched.onset_again)
            follow(self.anomalies.firing, evaluations, watched.onset_again)
            explain_rest(self.alerts.firing, evaluations, watched.explain)
            explain_rest(self.anomalies.firing, evaluations, watched.explain)
            news = self.anomalies.update(pairs, watched.explain, self.alerts.drifting(key))
            news += self.alerts.update(evaluations, watched.explain, self.anomalies.covered(key))
            transitions += [
                t if t.ends_at_s is None else told_again(t, watched.onset_again, t.ends_at_s) for t in news
            ]
            if counts is not None:
                watched.learn(pane, counts, self.alerts.suspect_since(evaluations))
            for evaluation, broken in pairs:
                self.counters.note(evaluation)
                shown = self._show(evaluation, broken)
                watched.history.note(evaluation, shown.state, shown.dataset_state)
                judged.append(shown)
                is_insufficient = evaluation.dataset_state[0] == State.INSUFFICIENT
                self.counters.evaluations[key, "insufficient" if is_insufficient else "ok"] += 1
        for transition in transitions:
            if transition.status == "firing":
                self.counters.alerts_fired[transition.key, transition.alert] += 1
        self.past.add(t for t in transitions if t.status == "resolved")
        return Outcome((pane + 1) * self._spec.pane_s, tuple(judged), tuple(transitions))

    def _show(self, evaluation: Evaluation, broken: tuple[Anomaly, ...]) -> Judged:
        state, whole = self.alerts.confirmed(evaluation)
        found = Judged(evaluation, with_anomalies(state, evaluation, broken), whole, broken)
        self.latest[evaluation.key, evaluation.window.length_s] = found
        return found
