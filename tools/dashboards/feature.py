"""drift-feature: one feature of one model version in depth."""

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
from dashboards.panels import ANOMALY, RED, STATES, YELLOW, Json, Query, lines, stat, states, steps

MODEL = 'model="$model",version="$version"'
ITSELF = MODEL + ',feature="$feature"'
HERE = ITSELF + ',slice="$slice"'

RATES = {
    "missing": "missing",
    "unseen": "unseen",
    "out_of_range": "outside",
    "type_mismatch": "type mismatch",
}


def _ratio(where: str, by: str) -> str:
    return f"max by ({by}) (drift_feature_distance{{{where}}} / drift_feature_threshold{{{where}}})"


def _now() -> Row:
    worst = f"max({_ratio(HERE, 'statistic')})"
    samples = f'max(drift_window_samples{{{MODEL},slice="$slice"}})'
    built = f"time() - max(drift_baseline_created_timestamp_seconds{{{MODEL}}})"
    kind = Query(f"max by (role, type) (drift_feature_info{{{ITSELF}}})", "{{role}}, {{type}}")
    return "Now", [
        (stat("State", Query(f"max(drift_feature_state{{{HERE}}})"), "none", words=STATES), 4, 4),
        (stat("Distance in thresholds", Query(worst), "none", steps((0.8, YELLOW), (1, RED))), 4, 4),
        (stat("What it is", kind, "none", text="name"), 4, 4),
        (stat("Events in the longest window", Query(samples), "short"), 4, 4),
        (stat("Training rows", Query(f"max(drift_baseline_samples{{{MODEL}}})"), "short"), 4, 4),
        (stat("Age of the baseline", Query(built), "s"), 4, 4),
    ]


def _drift() -> Row:
    band = states("State by window", Query(f"max by (window) (drift_feature_state{{{HERE}}})", "{{window}}"))
    ratio = lines(
        "Distance in thresholds, by statistic",
        [Query(_ratio(HERE, "statistic"), "{{statistic}}")],
        "none",
        colors=steps((1, RED)),
        description="Drift begins at 1; statistics without a threshold of their own are not here.",
    )
    return "Drift", [(band, 10, 9), (ratio, 14, 9)]


def _statistics() -> Row:
    where = HERE + ',statistic="$statistic"'
    dashed = {
        "matcher": {"id": "byRegexp", "options": "/^threshold/"},
        "properties": [
            {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}},
            {"id": "custom.fillOpacity", "value": 0},
        ],
    }
    made = lines(
        "$statistic",
        [
            Query(f"max by (window) (drift_feature_distance{{{where}}})", "{{window}}"),
            Query(f"max by (window) (drift_feature_threshold{{{where}}})", "threshold {{window}}"),
        ],
        "none",
        overrides=[dashed],
        repeat="statistic",
        repeatDirection="h",
        maxPerRow=3,
    )
    return "Statistics and their thresholds", [(made, 24, 8)]


def _values() -> Row:
    rates = [Query(f"max(drift_feature_{family}_ratio{{{HERE}}})", name) for family, name in RATES.items()]
    chances = Query(f"min by (statistic) (drift_feature_p_value_ratio{{{HERE}}})", "{{statistic}}")
    samples = Query(f'max by (window) (drift_window_samples{{{MODEL},slice="$slice"}})', "{{window}}")
    return "Values", [
        (lines("Shares of odd values", rates, "percentunit"), 8, 8),
        (lines("Chance without drift", [chances], "none", logarithmic=True), 8, 8),
        (lines("Events in the window", [samples], "short"), 8, 8),
    ]


def _around() -> Row:
    broken = f"max by (kind) (drift_feature_anomaly{{{ITSELF}}})"
    slices = Query(f"max by (slice) (drift_feature_state{{{ITSELF}}})", "{{slice}}")
    everywhere = 'model="$model",feature="$feature",slice="$slice",statistic=~"$statistic"'
    versions = f"max by (version, statistic) (drift_feature_distance{{{everywhere}}})"
    return "Around it", [
        (states("Rules of the schema", Query(broken, "{{kind}}"), ANOMALY), 8, 8),
        (states("Slices", slices), 8, 8),
        (lines("Versions", [Query(versions, "{{version}} {{statistic}}")], "none"), 8, 8),
    ]


def feature() -> Json:
    """Return the dashboard."""
    known = "drift_feature_info{" + MODEL + "}"
    statistics = "label_values(drift_feature_distance{" + ITSELF + "}, statistic)"
    return board(
        "drift-feature",
        "Drift: one feature",
        "One feature of one model version: every statistic against its threshold, odd values, slices.",
        [_now(), _drift(), _statistics(), _values(), _around()],
        marks=annotations(MODEL),
        variables=[
            source_variable(),
            variable("model", "Model", "label_values(drift_feature_info, model)"),
            variable("version", "Version", 'label_values(drift_feature_info{model="$model"}, version)'),
            variable("feature", "Feature", f"label_values({known}, feature)"),
            variable("slice", "Slice", f"label_values(drift_dataset_state{{{MODEL}}}, slice)", first="all"),
            variable("statistic", "Statistic", statistics, several=True),
            text_variable("page", "Detector's page", "http://127.0.0.1:9723"),
        ],
        links=[
            link("Overview", "/d/drift-overview"),
            link("Detector", "${page}", outside=True),
            link("Runbook", f"{RUNBOOK}#driftfeaturedrifted", outside=True),
        ],
    )
