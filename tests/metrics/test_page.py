"""The page that Prometheus scrapes: valid, complete, and never more than was announced."""

import gzip

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from detector.batch import LOSS_REASONS, ModelKey
from detector.errors import ConfigError
from detector.metrics import EVALUATED, RUNNING, ExportPolicy, Metrics, check_series, count_series
from detector.metrics.labels import label
from detector.metrics.page import MAX_RENDERED
from detector.view import ConfigStatus, SinkStatus, SourceStatus, StateStatus, view_of
from detector.watched import Monitored
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows
from tests.support.prometheus import check_metrics

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


KEPT = StateStatus(START_S + 9, 0.25, 4096.0, 2, 1)


def _page(rows, feature_rows=None, policy=None, slices=None, state=KEPT):
    """The metrics of a pipeline that judged `rows` once."""
    baseline = baseline_of(feature_rows or training_rows(np.random.default_rng(6), 2000), slices=("country",))
    rig = Rig(baseline, slices=slices)
    rig.feed([event(row, START_S + 1) for row in rows] + [b"rubbish"])
    rig.finish()
    metrics = Metrics(policy)
    metrics.publish(
        view_of(
            rig.pipeline, {KEY: baseline}, SourceStatus(connected=True), revision=1,
            last_evaluation_s=START_S, ready=True,
            sinks=(SinkStatus("log", 3), SinkStatus("log", 1, 2, 4, 5)),
            config=ConfigStatus("0" * 64, START_S), state=state, group="three",
            dead_letters=SinkStatus("letters", 5, 1, 2, 3),
        )
    )  # fmt: skip
    return metrics, rig


def _samples(metrics):
    return {
        (s.name, *sorted(s.labels.items())): s.value
        for family in parse(metrics.page()[0].decode())
        for s in family.samples
    }


def test_what_became_of_dead_letters_is_counted(rng):
    """By outcome; where none are sent on there are no such series."""
    metrics, _ = _page(training_rows(rng, 300))
    found = {key: n for key, n in _samples(metrics).items() if "dead_letters" in key[0]}

    assert found == {
        ("drift_dead_letters_total", ("outcome", "sent")): 5,
        ("drift_dead_letters_total", ("outcome", "failed")): 1,
        ("drift_dead_letters_total", ("outcome", "dropped")): 2,
        ("drift_dead_letters_queued",): 3,
    }


@pytest.mark.prometheus
def test_promtool_is_content_with_the_page(rng):
    """`promtool check metrics` on a page with every family."""
    metrics, _ = _page(training_rows(rng, 1500), slices=Slices({"country": ("DE", "FR")}))
    metrics.observe_evaluation(KEY, 0.01)

    assert check_metrics(metrics.page()[0]) == ""


def test_every_family_is_there_under_its_name_and_labels(rng):
    """What the list of names announces is what the page holds."""
    metrics, _ = _page(training_rows(rng, 1500))
    found = {f.name: f for f in parse(metrics.page()[0].decode())}
    without_samples = {
        "drift_consumer_lag_records", "drift_consumer_position_offset", "drift_source_skipped_records",
        "drift_last_event_timestamp_seconds",
    }  # fmt: skip

    for family in (*EVALUATED, *RUNNING):
        name = family.name + "_info" if family.type == "info" else family.name
        assert name in found, name
        assert found[name].samples or family.name in without_samples, name
        for sample in found[name].samples:
            assert set(sample.labels) == set(family.labels), name


def test_losses_are_series_from_the_start(rng):
    """One for each reason, at zero; and windows say that they are complete."""
    samples = _samples(_page(training_rows(rng, 1500))[0])
    lost = {key: value for key, value in samples.items() if key[0] == "drift_lost_records_total"}

    assert {dict(key[1:])["reason"] for key in lost} == set(LOSS_REASONS)
    assert set(lost.values()) == {0}
    where = (("model", "credit"), ("version", "1"), ("window", "5m"))
    assert samples["drift_window_complete", *where] == 1


def test_notifications_are_counted_by_sink_and_outcome(rng):
    """Sinks of one name are one series."""
    samples = _samples(_page(training_rows(rng, 1500))[0])
    outcomes = {
        outcome: samples["drift_alert_notifications_total", ("outcome", outcome), ("sink", "log")]
        for outcome in ("sent", "failed", "dropped")
    }

    assert outcomes == {"sent": 4, "failed": 2, "dropped": 4}
    assert samples["drift_alert_notifications_queued", ("sink", "log")] == 5


def _snapshot(rng, state):
    samples = _samples(_page(training_rows(rng, 1500), state=state)[0])
    prefix = "drift_snapshot_"
    return {place[0].removeprefix(prefix): v for place, v in samples.items() if place[0].startswith(prefix)}


def test_how_the_keeping_of_state_goes(rng):
    """When last, how large, how long; failures and damage as counters that are there from the start."""
    assert _snapshot(rng, KEPT) == {
        "timestamp_seconds": START_S + 9, "size_bytes": 4096.0, "duration_seconds": 0.25,
        "failures_total": 2.0, "damaged_total": 1.0,
    }  # fmt: skip
    assert _snapshot(rng, StateStatus()) == {"failures_total": 0.0, "damaged_total": 0.0}


def test_without_state_nothing_is_said_of_it(rng):
    """So no rule fires where nobody wants any."""
    assert _snapshot(rng, None) == {}


def test_values_are_those_of_the_evaluation(rng):
    """A distance, its threshold and the state, by their labels."""
    metrics, rig = _page([{**row, "country": "XX"} for row in training_rows(rng, 1500)])
    evaluation = rig.outcomes[-1].judged[0].evaluation
    f = evaluation.features.names.index("country")
    where = {"model": "credit", "version": "1", "slice": "all", "window": "5m", "feature": "country"}
    samples = _samples(metrics)

    for family, values in (
        ("drift_feature_distance", evaluation.statistics["l_infinity"].value),
        ("drift_feature_threshold", evaluation.statistics["l_infinity"].threshold),
    ):
        key = (family, *sorted({**where, "statistic": "l_infinity"}.items()))
        assert samples[key] == values[0, f]
    assert samples["drift_feature_unseen_ratio", *sorted(where.items())] == 1.0
    assert samples["drift_events_rejected_total", ("reason", "undecodable"), ("topic", "events")] == 1.0


def test_what_a_feature_is_can_be_joined_on(rng):
    """Role and type of every feature, from the start: which states are those of predictions."""
    rows = training_rows(rng, 500)
    baseline = baseline_of(rows, prediction=("amount",))
    metrics = Metrics()
    metrics.publish(
        view_of(
            Rig(baseline).pipeline, {KEY: baseline}, SourceStatus(), revision=0,
            last_evaluation_s=None, ready=False,
        )
    )  # fmt: skip
    found = [dict(key[1:]) for key in _samples(metrics) if key[0] == "drift_feature_info"]

    assert {(f["feature"], f["role"], f["type"]) for f in found} == {
        ("amount", "prediction", "float"),
        ("age", "feature", "int"),
        ("country", "feature", "string"),
        ("member", "feature", "bool"),
    }


def test_the_same_page_comes_as_text_openmetrics_and_compressed(rng):
    """Content negotiation changes the form, not the samples."""
    metrics, _ = _page(training_rows(rng, 1500))
    plain, kind = metrics.page()
    openmetrics, other_kind = metrics.page(OPENMETRICS)
    compressed, _ = metrics.page(compress=True)

    assert kind.startswith("text/plain")
    assert other_kind.startswith("application/openmetrics-text")
    assert {f.name for f in parse_openmetrics(openmetrics.decode())} >= {"drift_feature_distance"}
    ours = [line for line in plain.splitlines() if b"drift_" in line]
    assert [line for line in gzip.decompress(compressed).splitlines() if b"drift_" in line] == ours


def test_no_number_is_nan(rng):
    """A statistic without a value has no series: an alert on NaN would never fire."""
    metrics, _ = _page([{}] * 200)

    assert not any(np.isnan(v) for v in _samples(metrics).values())


HOSTILE = ['quo"te', "back\\slash", "new\nline", "\u202ereversed", "bell\x07", "x" * 300, "{}", "é漢"]


@pytest.mark.prometheus
def test_hostile_feature_names_cannot_break_the_page(rng):
    """Quotes, backslashes, line breaks, control characters, marks that turn text around, any length."""
    rows = [{name: float(i % 50) for name in HOSTILE} | {"country": "DE"} for i in range(500)]
    metrics, _ = _page(rows, rows)
    page = metrics.page()[0]
    names = {s.labels.get("feature") for f in parse(page.decode()) for s in f.samples}

    assert check_metrics(page) == ""
    assert {label(name) for name in HOSTILE} <= names
    assert max(len(name) for name in names if name) <= 128


def test_the_announced_number_of_series_is_never_exceeded(rng):
    """What `check-config` computes before the first event bounds what the page holds."""
    slices = Slices({"country": ("DE", "FR")})
    for policy in (ExportPolicy(), ExportPolicy(statistics=("l_infinity", "missing"))):
        metrics, rig = _page(training_rows(rng, 1500), policy=policy, slices=slices)
        announced = count_series(rig.models[KEY], 1, policy)
        held = sum(
            len(f.samples)
            for f in parse(metrics.page()[0].decode())
            if f.name in {family.name for family in EVALUATED}
        )
        assert 0.5 * announced <= held <= announced


def test_statistics_that_nobody_asked_for_have_no_series(rng):
    """`metrics.statistics` keeps the page small."""
    metrics, _ = _page(training_rows(rng, 1500), policy=ExportPolicy(statistics=("hellinger",)))
    found = {dict(key[1:])["statistic"] for key in _samples(metrics) if key[0] == "drift_feature_distance"}

    assert found == {"hellinger"}


def test_too_many_series_are_refused_with_the_arithmetic(rng):
    """The message names the model, its features, slices and windows, and what to change."""
    monitored = Monitored(baseline_of(training_rows(rng, 200)))
    with pytest.raises(ConfigError, match=r"4 features x 1 slices x 3 windows.*metrics.statistics"):
        check_series({KEY: monitored, ModelKey("b", "1"): monitored}, WindowSpec(), ExportPolicy(100))


def test_the_heavy_part_is_rendered_once_an_evaluation(rng):
    """Scrapes between evaluations get the same bytes object for it."""
    metrics, _ = _page(training_rows(rng, 1500))
    metrics.page()
    first = dict(metrics._rendered)
    metrics.page()

    assert all(metrics._rendered[key] is page for key, page in first.items())


def test_a_scraper_with_a_new_version_at_each_scrape_fills_no_memory(rng):
    """The format it asks for is its own choice, and each rendering holds all series."""
    metrics, _ = _page(training_rows(rng, 1500))
    for minor in range(50):
        metrics.page(f"application/openmetrics-text; version=1.0.{minor}")

    assert len(metrics._rendered) <= MAX_RENDERED


@pytest.mark.parametrize("version", ["abc", "1.0.0rc1", "", "1..2", "9" * 5000])
def test_a_format_that_nobody_knows_is_answered_in_one_that_is(rng, version):
    """Whatever a client says that it accepts."""
    metrics, _ = _page(training_rows(rng, 1500))
    page, _ = metrics.page(f"application/openmetrics-text; version={version}")

    assert b"drift_feature_state{" in page
