"""A configuration that is right: what is read, what is filled in, and what the pure parts are told."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.config import DEFAULT_PORT, InvalidConfigError, load_config
from detector.drift.policy import DecisionPolicy
from detector.errors import ConfigError
from detector.formats import EventOptions
from detector.metrics.names import ExportPolicy
from detector.runs import AlertPolicy
from detector.windows.spec import WindowSpec

SOURCE = "source: {kind: kafka, bootstrap_servers: [a:9092], topics: [t]}\n"
SMALLEST = SOURCE + "models: [{name: m, baselines: b.json}]\n"


@pytest.fixture
def load(tmp_path):
    """Load a text as a configuration, with nothing in the environment."""

    def load(text, **more):
        path = tmp_path / "a.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, {}, **more)

    return load


@pytest.fixture
def policy(load):
    """Return how model `m` is judged, given the section `decision` and the model's own words."""

    def policy(decision="{}", of_model="{}", features="{}"):
        model = f"{{name: m, baselines: b.json, decision: {of_model}, features: {features}}}"
        return load(f"{SOURCE}models: [{model}]\ndecision: {decision}\n").decision_policy("m")

    return policy


def test_the_pure_parts_have_the_same_defaults(load):
    """A configuration that says nothing means what the parts mean when told nothing."""
    config = load(SMALLEST)

    assert config.decision_policy("m") == DecisionPolicy()
    assert config.window_spec() == WindowSpec()
    assert config.alert_policy() == AlertPolicy()
    assert config.export_policy() == ExportPolicy()
    assert config.event_options() == EventOptions()
    assert config.http.port == DEFAULT_PORT
    assert [sink.kind for sink in config.alerts.sinks] == ["log"]


def test_settings_reach_the_pure_parts(load):
    """What is written is told on: in seconds, in bytes, as policies."""
    config = load(
        SMALLEST
        + """
event: {time_format: ms, max_bytes: 64KiB, fields: {features: {age: /user/age}, tags: null}}
windows: {pane: 30s, lengths: [1h30m, 7d], lateness: 0s, max_future: 500ms, idle_after: 1m}
alerts: {raise_after: 1, clear_after: 5}
metrics: {max_series: 7, statistics: [unseen]}
"""
    )

    options = config.event_options()
    assert (options.time_format, options.max_bytes) == ("ms", 65536)
    assert (options.fields.features, options.fields.tags) == ({"age": "/user/age"}, None)
    assert config.window_spec() == WindowSpec(30.0, (5400.0, 604800.0), 0.0, 0.5, 60.0)
    assert config.alert_policy() == AlertPolicy(1, 5)
    assert config.export_policy() == ExportPolicy(7, ("unseen",))


def test_a_section_without_settings_counts_as_absent(load):
    """Who comments out every line below `http:` gets the defaults, no complaint."""
    assert load(SMALLEST + "http:\n  # port: 1\nstate:\n").http.port == DEFAULT_PORT


def test_a_slice_may_be_written_as_its_column(load):
    """`country` is short for `{column: country}`."""
    models = "models: [{name: m, baselines: b, slices: [country, {column: channel, values: [web]}]}]"

    slices = load(SOURCE + models).model("m").slices

    assert [(s.column, s.values) for s in slices] == [("country", None), ("channel", ("web",))]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param(
            "{features: ''}", "the event itself may hold the features", id="features beside the rest"
        ),
        pytest.param("{model: /a/b, version: /a/c}", "siblings are apart", id="siblings"),
        pytest.param("{model: /a, version: /ab}", "a longer name is no inner place", id="same beginning"),
        pytest.param("{id: /features/id}", "an id is not read as a value", id="id among features"),
        pytest.param("{model: null, version: null, time: null}", "parts may be absent", id="nothing there"),
    ],
)
def test_parts_of_an_event_may_lie_anywhere_apart(load, fields, why):
    """Only places within each other are refused."""
    assert load(f"{SMALLEST}event: {{fields: {fields}}}").event_options(), why


def test_replay_is_allowed_where_the_command_allows_it(load):
    """The `replay` command needs no source, takes one of kind replay, and also a live one."""
    models = SMALLEST.removeprefix(SOURCE)

    assert load(models, allow_replay=True).is_replay
    assert load("source: {kind: replay}\n" + models, allow_replay=True).is_replay
    assert not load(SMALLEST, allow_replay=True).is_replay


def test_relative_paths_begin_at_the_file(load, tmp_path):
    """A configuration means the same from whatever directory the program is started."""
    config = load(SMALLEST)

    assert config.resolve("b.json") == tmp_path / "b.json"
    assert str(config.resolve("/abs/b.json")) == "/abs/b.json"
    assert (config.path, config.directory) == (tmp_path / "a.yaml", tmp_path)


def test_files_of_sources_and_sinks_lie_beside_the_file_too(load, tmp_path):
    """A relative one begins at the configuration, wherever the program is started; an absolute one stays."""
    config = load(
        "source:\n  kind: kafka\n  bootstrap_servers: [a:9092]\n  topics: [t]\n"
        "  security: {protocol: SSL, ca_file: ca.pem}\n"
        "models: [{name: m, baselines: b.json}]\n"
        "alerts: {sinks: [{kind: webhook, url_file: secrets/url, ca_file: /etc/ca.pem}]}\n"
    )
    (sink,) = config.alerts.sinks

    assert config.source.security.ca_file == str(tmp_path / "ca.pem")
    assert (sink.url_file, sink.ca_file) == (str(tmp_path / "secrets" / "url"), "/etc/ca.pem")


def test_state_is_kept_without_a_warning_in_a_directory_and_in_a_topic(load):
    """Both have an effect."""
    for state in ("{directory: ./state}", "{kind: kafka, topic: kept}"):
        assert load(SMALLEST + f"state: {state}").warnings == ()


def test_an_unknown_model_is_a_key_error(load):
    """Code that asks for a model that is not configured has a bug."""
    with pytest.raises(KeyError, match="other"):
        load(SMALLEST).decision_policy("other")


def test_an_invalid_configuration_is_an_input_error():
    """The command line ends with exit code 2, as for every other input."""
    assert issubclass(InvalidConfigError, ConfigError)
    assert InvalidConfigError(["a"]).exit_code == 2


@pytest.mark.parametrize(
    "setting", ["min_effect", "min_samples", "false_alarms_per_30_days", "dataset_share"]
)
def test_a_model_wins_over_the_section_decision_only_where_it_says_so(policy, setting):
    """What a model does not say is taken from `decision`, not from the defaults."""
    general = {"min_effect": 0.2, "min_samples": 7, "false_alarms_per_30_days": 3.0, "dataset_share": 0.5}
    own = {"min_effect": 0.3, "min_samples": 9, "false_alarms_per_30_days": 4.0, "dataset_share": 0.6}
    text = str(general).replace("'", "")

    found = policy(text, f"{{{setting}: {own[setting]}}}")

    assert {name: getattr(found, name) for name in general} == general | {setting: own[setting]}


def test_a_model_may_say_the_default_to_win_over_the_section(policy):
    """A written default is a decision too."""
    assert policy("{min_samples: 7}", "{min_samples: 1000}").min_samples == 1000


def _is_free(threshold):
    return isinstance(threshold, float) and math.isnan(threshold)


@pytest.mark.parametrize(
    ("decision", "of_model", "expected"),
    [
        pytest.param("auto", None, {}, id="auto is nothing fixed"),
        pytest.param("0.2", None, {"unseen": 0.2}, id="number"),
        pytest.param("off", None, {"unseen": None}, id="off"),
        pytest.param("0.2", "0.4", {"unseen": 0.4}, id="model over section"),
        pytest.param("off", "0.4", {"unseen": 0.4}, id="model switches on again"),
        pytest.param("0.2", "off", {"unseen": None}, id="model switches off"),
        pytest.param("0.2", "auto", {}, id="model takes a number back"),
        pytest.param("off", "auto", {}, id="model takes off back"),
        pytest.param("0", None, {"unseen": 0.0}, id="zero is a threshold"),
    ],
)
def test_thresholds_of_a_model_win_over_those_of_the_section(policy, decision, of_model, expected):
    """The model's word on a statistic replaces the general one; `auto` takes it back."""
    said = "{}" if of_model is None else f"{{statistics: {{unseen: {{threshold: {of_model}}}}}}}"

    found = policy(f"{{statistics: {{unseen: {{threshold: {decision}}}}}}}", said)

    assert found.thresholds == expected


def test_statistics_that_a_model_does_not_name_keep_the_general_threshold(policy):
    """Statistics are merged one by one."""
    found = policy(
        "{statistics: {unseen: {threshold: 0.1}, missing: {threshold: 0.2}}}",
        "{statistics: {missing: {threshold: 0.3}}}",
    )

    assert found.thresholds == {"unseen": 0.1, "missing": 0.3}


FEATURES = """{
    "debug_*": {ignore: true, statistics: {missing: {threshold: 0.4}}},
    age: {min_effect: 0.3, statistics: {unseen: {threshold: auto}, missing: {threshold: auto}}},
    "debug_a": {statistics: {missing: {threshold: auto}, unseen: {threshold: off}}}}"""


@pytest.mark.parametrize(
    ("feature", "ignore", "min_effect", "unseen", "missing"),
    [
        pytest.param("income", False, 0.2, 0.1, "nothing", id="not named: the model's"),
        pytest.param("debug_x", True, 0.2, 0.1, 0.4, id="a pattern"),
        pytest.param("age", False, 0.3, "free", "free", id="auto takes back the section's"),
        pytest.param("debug_a", True, 0.2, None, "free", id="auto takes back an earlier pattern's"),
    ],
)
def test_features_win_over_the_model(policy, feature, ignore, min_effect, unseen, missing):
    """Global < model < feature, later entries over earlier ones; `auto` frees what a wider one fixed."""
    found = policy("{statistics: {unseen: {threshold: 0.1}}}", "{min_effect: 0.2}", FEATURES).of(feature)

    thresholds = {
        name: "free" if _is_free(found.thresholds.get(name, 0.0)) else found.thresholds.get(name, "nothing")
        for name in ("unseen", "missing")
    }
    assert (found.ignore, found.min_effect) == (ignore, min_effect)
    assert thresholds == {"unseen": unseen, "missing": missing}


THRESHOLDS = st.sampled_from(["auto", "off", 0.1, 0.5])


@settings(deadline=None)
@given(general=st.none() | THRESHOLDS, model=st.none() | THRESHOLDS, feature=st.none() | THRESHOLDS)
def test_the_narrowest_word_on_a_statistic_counts(tmp_path_factory, general, model, feature):
    """However the three levels are filled, the innermost that says something is in force."""
    said = [
        "{}" if level is None else f"{{statistics: {{missing: {{threshold: {level}}}}}}}"
        for level in (general, model, feature)
    ]
    path = tmp_path_factory.getbasetemp() / "levels.yaml"
    path.write_text(
        f"{SOURCE}decision: {said[0]}\n"
        f"models: [{{name: m, baselines: b, decision: {said[1]}, features: {{f: {said[2]}}}}}]\n",
        encoding="utf-8",
    )

    in_force = load_config(path, {}).decision_policy("m").of("f").thresholds.get("missing", math.nan)

    narrowest = next((level for level in (feature, model, general) if level is not None), "auto")
    expected = {"auto": math.nan, "off": None}.get(narrowest, narrowest)
    assert _is_free(in_force) if narrowest == "auto" else in_force == expected
