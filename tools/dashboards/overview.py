"""drift-overview: all models, what drifts in them, and whether the detector itself is well."""

from dashboards.board import (
    RUNBOOK,
    Row,
    annotations,
    board,
    link,
    source_variable,
    text_variable,
    variable,
)
from dashboards.panels import (
    GREEN,
    RED,
    STATES,
    YELLOW,
    Json,
    Query,
    alert_list,
    field,
    heat,
    lines,
    mappings,
    stat,
    states,
    steps,
    table,
)

MODEL = 'model=~"$model",version=~"$version"'
HERE = MODEL + ',slice=~"$slice",window=~"$window"'
FEATURE = "model, version, feature"

RATIO = f"drift_feature_distance{{{HERE}}} / drift_feature_threshold{{{HERE}}}"

# Hundreds of features that are well would hide the few that are not.
SUSPECT = f"""
    and on ({FEATURE}) (max by ({FEATURE}) (max_over_time(drift_feature_state{{{HERE}}}[$__range])) >= 1)
"""

TO_FEATURE = (
    "/d/drift-feature?var-datasource=${datasource}&var-model=%s&var-version=%s&var-feature=%s"
    "&var-slice=${slice}&${__url_time_range}"
)


def to_feature(of: str) -> list[Json]:
    """Return the link to one feature; `of` is where Grafana finds its labels."""
    labels = tuple(f"${{__{of}.{name}}}" for name in ("model", "version", "feature"))
    return [{"title": "This feature in depth", "url": TO_FEATURE % labels}]


def _now() -> Row:
    """Return the numbers at the top."""
    late = steps((300, YELLOW), (1200, RED))
    some = steps((1, RED))
    drifting = f"count(max by (model, version) (drift_dataset_state{{{HERE}}}) == 2) or vector(0)"
    features = f"count(max by ({FEATURE}) (drift_feature_state{{{HERE}}}) == 2) or vector(0)"
    broken = f"sum(max by ({FEATURE}, kind) (drift_feature_anomaly{{{MODEL}}})) or vector(0)"
    fires = 'count(ALERTS{alertname=~"Drift.*",alertname!="DriftDetectorWatchdog",alertstate="firing"})'
    evaluated = f"max by (model, version) (drift_last_evaluation_timestamp_seconds{{{MODEL}}})"
    rate = f"sum(rate(drift_events_accepted_total{{{MODEL}}}[$__rate_interval]))"
    shown = (
        stat("Models that drift", Query(drifting), "none", some),
        stat("Features that drift", Query(features), "none", steps((1, YELLOW))),
        stat("Broken rules of schemas", Query(broken), "none", steps((1, YELLOW))),
        stat("Alerts that fire", Query(f"{fires} or vector(0)"), "none", some),
        stat("Events a second", Query(rate), "reqps"),
        stat("Records that wait", Query("sum(drift_consumer_lag_records)"), "short"),
        stat("Windows are behind by", Query("time() - max(drift_watermark_timestamp_seconds)"), "s", late),
        stat("Oldest evaluation", Query(f"time() - min({evaluated})"), "s", late),
    )
    return "Now", [(made, 3, 4) for made in shown]


def _models() -> Row:
    by = "max by (model, version)"
    queries = [
        Query(f"{by} (drift_dataset_state{{{HERE}}})", instant=True),
        Query(f"{by} (drift_dataset_drifted_features_ratio{{{HERE}}})", instant=True),
        Query(f"{by} (drift_window_samples{{{HERE}}})", instant=True),
        Query(f"{by} (drift_alerts_firing{{{MODEL}}})", instant=True),
        Query(f"time() - {by} (drift_last_evaluation_timestamp_seconds{{{MODEL}}})", instant=True),
        Query(f"time() - {by} (drift_baseline_created_timestamp_seconds{{{MODEL}}})", instant=True),
    ]
    columns = {
        "model": "Model",
        "version": "Version",
        "Value #A": "State",
        "Value #B": "Features that drift",
        "Value #C": "Events in a window",
        "Value #D": "Alerts",
        "Value #E": "Evaluated before",
        "Value #F": "Age of the baseline",
    }
    colored = {"type": "color-background"}
    overrides = [
        field("State", mappings=mappings(STATES), custom__cellOptions=colored),
        field("Features that drift", unit="percentunit"),
        field("Events in a window", unit="short"),
        field("Evaluated before", unit="s"),
        field("Age of the baseline", unit="s"),
    ]
    whole = Query(f"{by} (drift_dataset_state{{{HERE}}})", "{{model}} {{version}}")
    return "Models", [
        (table("Models", queries, columns, overrides=overrides), 14, 8),
        (states("Models over time", whole), 10, 8),
    ]


def _features() -> Row:
    band = states(
        "Features that were not ok",
        Query(
            f"max by ({FEATURE}) (drift_feature_state{{{HERE}}}) {SUSPECT}",
            "{{feature}} ({{model}} {{version}})",
        ),
        description="Only features that had a warning or a drift in the time shown.",
    )
    cells = heat(
        "Distance in thresholds",
        Query(f"max by ({FEATURE}) ({RATIO}) {SUSPECT}", "{{feature}} ({{model}} {{version}})"),
        "none",
        steps((0.5, "#9ACD32"), (0.8, YELLOW), (1, "orange"), (2, RED)),
        description="Of the statistic that is furthest; 1 is where drift begins.",
    )
    columns = {
        "model": "Model",
        "version": "Version",
        "feature": "Feature",
        "statistic": "Statistic",
        "Value": "Thresholds",
    }
    gauge = {"type": "gauge", "mode": "basic"}
    worst = table(
        "Furthest now",
        [Query(f"topk(20, max by ({FEATURE}, statistic) ({RATIO}))", instant=True)],
        columns,
        sort=[{"displayName": "Thresholds", "desc": True}],
        overrides=[
            field("Thresholds", decimals=2, min=0, max=3, custom__cellOptions=gauge,
                  thresholds=steps((0.8, YELLOW), (1, RED), first=GREEN)),
            field("Feature", links=to_feature("data.fields")),
        ],
    )  # fmt: skip
    for made in (band, cells):
        made["fieldConfig"]["defaults"]["links"] = to_feature("field.labels")
    return "Features", [(band, 24, 9), (cells, 14, 10), (worst, 10, 10)]


def _stream() -> Row:
    rate = "rate({}[$__rate_interval])"
    accepted = rate.format(f"drift_events_accepted_total{{{MODEL}}}")
    rejected = rate.format("drift_events_rejected_total")
    behind = [
        Query("time() - max(drift_watermark_timestamp_seconds)", "windows"),
        Query("time() - max by (topic) (drift_last_event_timestamp_seconds)", "latest event of {{topic}}"),
    ]
    lag = Query("max by (topic, partition) (drift_consumer_lag_records)", "{{topic}} {{partition}}")
    return "Stream", [
        (
            lines(
                "Events", [Query(f"sum by (model, version) ({accepted})", "{{model}} {{version}}")], "reqps"
            ),
            6,
            8,
        ),
        (
            lines(
                "Rejected", [Query(f"sum by (topic, reason) ({rejected})", "{{reason}} ({{topic}})")], "reqps"
            ),
            6,
            8,
        ),
        (lines("Records that wait", [lag], "short"), 6, 8),
        (lines("Behind the clock", behind, "s"), 6, 8),
    ]


def _detector() -> Row:
    buckets = f"rate(drift_evaluation_duration_seconds_bucket{{{MODEL}}}[$__rate_interval])"
    duration = [
        Query(f"histogram_quantile({q}, sum by (le) ({buckets}))", f"{q:.0%} of evaluations")
        for q in (0.5, 0.95)
    ]
    series = [
        Query("max(drift_exported_series)", "series"),
        Query("max(drift_exported_series_limit)", "metrics.max_series"),
    ]
    health = [
        Query("sum(drift_active)", "judging"),
        Query("sum(drift_ready)", "ready"),
        Query("sum(drift_source_connected)", "connected"),
    ]
    own = 'job="drift-detector"'
    usage = [
        Query(f"sum(rate(process_cpu_seconds_total{{{own}}}[$__rate_interval]))", "cores"),
        Query(f"sum(process_resident_memory_bytes{{{own}}}) / 2^30", "GiB"),
    ]
    return "Detector", [
        (lines("Time to judge a window", duration, "s"), 6, 8),
        (lines("Series on the page", series, "short"), 6, 8),
        (lines("Instances", health, "none"), 6, 8),
        (lines("Processor and memory", usage, "short"), 6, 8),
        (alert_list("Alerts"), 24, 8),
    ]


def overview() -> Json:
    """Return the dashboard."""
    chain = 'drift_dataset_state{model=~"$model"'
    return board(
        "drift-overview",
        "Drift: overview",
        "All models: what drifts, since when, how far; and whether the detector is well.",
        [_now(), _models(), _features(), _stream(), _detector()],
        marks=annotations(MODEL),
        variables=[
            source_variable(),
            variable("model", "Model", "label_values(drift_dataset_state, model)", several=True),
            variable("version", "Version", f"label_values({chain}}}, version)", several=True),
            variable("slice", "Slice", f"label_values({chain}}}, slice)", several=True, first="all"),
            variable("window", "Window", f"label_values({chain}}}, window)", several=True),
            text_variable("page", "Detector's page", "http://127.0.0.1:9723"),
        ],
        links=[
            link("One feature", "/d/drift-feature"),
            link("Detector", "${page}", outside=True),
            link("Runbook", RUNBOOK, outside=True),
        ],
    )
