"""Model versions: what is watched, and how it stands as a whole."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from detector.batch import Feature
from detector.drift.evaluation import State
from detector.metrics.labels import label
from detector.outcome import Judged
from detector.report.records import number
from detector.times import format_duration
from detector.view import View
from detector.web.api.answers import (
    MAX_LISTED,
    Answer,
    ModelId,
    Named,
    Number,
    Page,
    StateName,
    Time,
    Window,
    id_of,
    named,
    state_name,
    worst,
)
from detector.web.api.asking import Paged
from detector.web.pages.site import Model, find_model, models_of, time_text


class StateCounts(Answer):
    """How many features are in each state."""

    insufficient: int
    ok: int
    warning: int
    drift: int


class FeatureCounts(StateCounts):
    """How many features are in each state, and how many in none."""

    not_judged: int
    """On which no statistic decides, as on those that are ignored; they are not among the `ok`."""


class WindowAnswer(Answer):
    """The latest evaluation of one window length, of all events."""

    window: Window
    window_s: float
    start: Time
    end: Time
    n: int
    """Events in it."""
    complete: bool
    """Whether all its events could be read."""
    state: StateName
    """Of the model as a whole."""
    drifted_ratio: Number
    """Share of the judged features that drift, by importance."""
    features: FeatureCounts


class ModelSummary(Answer):
    """One model version."""

    id: ModelId
    model: str
    version: str
    state: StateName
    """As a whole, in the window that is worst."""
    features_total: int
    alerts_firing: int
    events_accepted: int
    windows: Sequence[WindowAnswer]
    """Shortest first; none before the first is complete."""


class ModelPage(Page[ModelSummary]):
    """Some of the model versions."""


class BaselineAnswer(Answer):
    """The training side."""

    sha256: str
    built_at: str
    rows: int
    is_schema_given: bool
    """Whether a person wrote the schema; else it was inferred."""
    is_seasonal: bool
    """Whether it knows how data differ by the hour."""


class PolicyAnswer(Answer):
    """How windows are judged."""

    false_alarms_per_30_days: float
    min_effect: float
    min_samples: int
    dataset_share: float
    min_count: int
    """A category that training had less often is not named."""


class SliceAnswer(Named):
    """One slice."""

    n: int | None
    """Events of the shortest window; null before it is judged."""
    state: StateName
    """Of the slice as a whole, in the window that is worst."""


class ModelDetail(ModelSummary):
    """One model version, with what it is held against."""

    baseline: BaselineAnswer
    policy: PolicyAnswer
    variation: str
    """What is known of how these data vary by themselves."""
    slices: Sequence[SliceAnswer]
    """The first of them, `all` before all others."""
    slices_total: int


class FeatureHead(Named):
    """What a feature is."""

    type: str
    role: str
    """feature or prediction."""
    sensitive: bool
    """Whether no value of it is told."""
    ignored: bool
    """Whether it is counted and never judged."""


def models_answer(view: View, asked: Paged) -> ModelPage:
    """Return some of the model versions, in the order of the configuration."""
    models = models_of(view)
    some = models[asked.offset : asked.offset + asked.limit]
    items = [ModelSummary(**_summary(view, model)) for model in some]
    return ModelPage(items=items, total=len(models), offset=asked.offset, limit=asked.limit)


def model_answer(view: View, model: str, version: str) -> ModelDetail:
    """Return a model version.

    Raises:
        NotThereError: there is none such.
    """
    found = find_model(view, model, version)
    baseline, policy = found.judge.baseline, found.judge.policy
    known = view.knowledge.get(found.key)
    return ModelDetail(
        **_summary(view, found),
        baseline=BaselineAnswer(
            sha256=baseline.digest,
            built_at=label(baseline.provenance.built_at),
            rows=baseline.n_events,
            is_schema_given=baseline.provenance.schema == "given",
            is_seasonal=baseline.season is not None,
        ),
        policy=PolicyAnswer(
            false_alarms_per_30_days=policy.false_alarms_per_30_days,
            min_effect=policy.min_effect,
            min_samples=policy.min_samples,
            dataset_share=policy.dataset_share,
            min_count=policy.min_count,
        ),
        variation="" if known is None else known.text,
        slices=[_slice(found, row) for row in range(min(MAX_LISTED, len(found.judge.slices)))],
        slices_total=len(found.judge.slices),
    )


def window_answer(judged: Judged) -> WindowAnswer:
    """Return the latest evaluation of a window length."""
    evaluation, window = judged.evaluation, judged.evaluation.window
    is_idle = (judged.state[0] == State.OK) & ~evaluation.is_judged(0)
    states = Counter(judged.state[0][~is_idle].tolist())
    return WindowAnswer(
        window=format_duration(window.length_s),
        window_s=window.length_s,
        start=time_text(window.start_s),
        end=time_text(window.end_s),
        n=int(evaluation.n[0]),
        complete=window.is_complete,
        state=state_name(int(judged.dataset_state[0])),
        drifted_ratio=number(float(evaluation.drifted_ratio[0])),
        features=FeatureCounts(
            **{state.label: states[int(state)] for state in State}, not_judged=int(is_idle.sum())
        ),
    )


def feature_head(model: Model, f: int) -> dict[str, Any]:
    """Return what a feature is, as the fields of a `FeatureHead`."""
    feature: Feature = model.judge.baseline.features.all[f]
    policy = model.judge.policy.of(feature.name)
    return {
        **named(feature.name).model_dump(),
        "type": feature.type,
        "role": feature.role,
        "sensitive": bool(policy.sensitive),
        "ignored": bool(policy.ignore),
    }


def _summary(view: View, model: Model) -> dict[str, Any]:
    return {
        "id": id_of(model.key),
        "model": label(model.key.model),
        "version": label(model.key.version),
        "state": state_name(model.state),
        "features_total": len(model.names),
        "alerts_firing": sum(t.key == model.key for t in view.firing),
        "events_accepted": view.counters.accepted[model.key],
        "windows": [window_answer(judged) for judged in model.windows],
    }


def _slice(model: Model, row: int) -> SliceAnswer:
    name = named(model.judge.slices.names[row])
    n = int(model.windows[0].evaluation.n[row]) if model.windows else None
    return SliceAnswer(**name.model_dump(), n=n, state=worst(j.dataset_state[row] for j in model.windows))
