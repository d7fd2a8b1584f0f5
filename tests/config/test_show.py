"""`show`: the configuration in force as YAML, complete, without secrets, and readable again."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.config import Config, load_config, show

SOURCE = "source: {kind: kafka, bootstrap_servers: [a:9092], topics: [t]}\n"
SMALLEST = SOURCE + "models: [{name: m, baselines: b.json}]\n"
EVERYTHING_ELSE = """\
source:
  kind: kafka
  bootstrap_servers: ["[::1]:9092", "b:9093"]
  topics: [t.1, t-2]
  group_id: "007"
  start: -2h
  security: {protocol: SASL_SSL, mechanism: PLAIN, username: "null", password_file: ./p, ca_file: /ca.pem}
event:
  fields: {features: {"no": /a~1b, "1": "/x y"}, label: null, model: null}
  time_format: us
  max_bytes: 64KiB
models:
  - name: "true"
    baselines: b-{version}.json
    slices: [country, {column: "22:22", values: ["1e3", "~", "a: b", "#x"]}]
    features:
      "*": {statistics: {missing: {threshold: off}}}
      reset_token: {ignore: true, min_effect: 1e-5, statistics: {unseen: {threshold: 0}}}
    decision: {min_samples: 5, statistics: {unseen: {threshold: auto}}}
  - {name: other, baselines: 2026-11-23}
windows: {pane: 1500ms, lengths: [3s, 1h30m], lateness: 0s, max_future: 1w}
decision: {min_effect: 0.25, statistics: {unseen: {threshold: 0.5}, wasserstein: {threshold: 1e20}}}
alerts: {raise_after: 2, sinks: [{kind: log}, {kind: log}]}
http: {enabled: false, host: "::", port: 0}
metrics: {statistics: [unseen]}
state: {kind: kafka, topic: s, every: 1m}
log: {level: DEBUG, format: json}
"""


def _load(path, text, environ=None) -> Config:
    path.write_text(text, encoding="utf-8")
    return load_config(path, environ or {})


TEXTS = [
    pytest.param(SMALLEST, id="all defaults"),
    pytest.param(EVERYTHING_ELSE, id="no defaults"),
    pytest.param(SMALLEST + "alerts: {sinks: []}\nmetrics: {statistics: []}", id="empty lists"),
    pytest.param(SMALLEST + "state: {}", id="state by default in a directory"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_shown_reads_back_as_the_same_configuration(tmp_path, text):
    """`check-config --show > new.yaml` makes a file that means the same."""
    config = _load(tmp_path / "a.yaml", text)

    again = _load(tmp_path / "a.yaml", show(config))

    for model in config.models:
        # NaN, the policy's word for *not fixed*, equals nothing: compared as text.
        assert repr(again.decision_policy(model.name)) == repr(config.decision_policy(model.name))
    but_models = {name for name in Config.model_fields if name != "models"}
    assert {n: getattr(again, n) for n in but_models} == {n: getattr(config, n) for n in but_models}
    assert show(again) == show(config)


def test_a_configuration_without_words_of_its_own_for_a_model_reads_back_equal(tmp_path):
    """Where nothing is merged, both are equal as a whole."""
    config = _load(tmp_path / "a.yaml", SMALLEST)

    assert _load(tmp_path / "a.yaml", show(config)) == config


def test_every_setting_is_shown_in_the_order_of_the_code(tmp_path):
    """Also what the file leaves to the defaults."""
    shown = yaml.safe_load(show(_load(tmp_path / "a.yaml", SMALLEST)))

    assert list(shown) == list(Config.model_fields)
    assert shown["windows"] == {
        "pane": "1m",
        "lengths": ["10m", "1h", "24h"],
        "lateness": "2m",
        "max_future": "5m",
        "idle_after": "30s",
    }
    assert shown["alerts"] == {
        "raise_after": 3,
        "clear_after": 3,
        "clear_for": "1h",
        "sinks": [{"kind": "log", "name": None, "only": None, "severity": None}],
    }
    assert shown["state"] is None


def test_settings_are_shown_as_they_were_written(tmp_path):
    """`90s` stays `90s` and `1MiB` does not become a number."""
    text = SMALLEST + "windows: {pane: 90s, lengths: [180s]}\nevent: {max_bytes: 64KiB}"

    shown = yaml.safe_load(show(_load(tmp_path / "a.yaml", text)))

    assert (shown["windows"]["pane"], shown["windows"]["lengths"]) == ("90s", ["180s"])
    assert shown["event"]["max_bytes"] == "64KiB"


def test_a_models_decision_is_shown_as_it_is_in_force(tmp_path):
    """Nobody has to merge the section `decision` and the model's words in the head."""
    text = SOURCE + (
        "models:\n- name: m\n  baselines: b\n"
        "  decision: {min_samples: 5, statistics: {unseen: {threshold: off}}}\n"
        "decision: {min_effect: 0.2, statistics: {missing: {threshold: 0.1}}}\n"
    )

    shown = yaml.safe_load(show(_load(tmp_path / "a.yaml", text)))

    assert shown["models"][0]["decision"] == {
        "false_alarms_per_30_days": 1.0,
        "min_effect": 0.2,
        "min_samples": 5,
        "dataset_share": 0.3,
        "learn": "auto",
        "schema_tolerance": 0.01,
        "statistics": {"missing": {"threshold": 0.1}, "unseen": {"threshold": "off"}},
    }


def test_what_variables_say_is_shown(tmp_path):
    """The configuration in force is the file with the environment over it."""
    shown = show(_load(tmp_path / "a.yaml", SMALLEST, {"DRIFT_HTTP__PORT": "8080"}))

    assert "port: 8080" in shown


@pytest.mark.parametrize("password", ["hunter22", "271828", "a: b!", " #x"])
def test_a_password_is_never_shown(tmp_path, password):
    """That there is one is shown, so that a missing variable can be told from a set one."""
    environ = {
        "DRIFT_SOURCE__SECURITY__PROTOCOL": "SASL_SSL",
        "DRIFT_SOURCE__SECURITY__MECHANISM": "PLAIN",
        "DRIFT_SOURCE__SECURITY__USERNAME": "drift",
        "DRIFT_SOURCE__SECURITY__PASSWORD": password,
    }

    config = _load(tmp_path / "a.yaml", SMALLEST, environ)

    security = yaml.safe_load(show(config))["source"]["security"]
    assert security["password"] == "<set>"
    assert security["username"] == "drift"
    assert password not in show(config) + repr(config)


def test_the_password_of_an_address_is_never_shown(tmp_path):
    """Whatever setting an address with a password was put into, by a variable."""
    environ = {"DRIFT_SOURCE__GROUP_ID": "https://user:hunter22@proxy:1"}

    assert "group_id: https://<set>@proxy:1" in show(_load(tmp_path / "a.yaml", SMALLEST, environ))


def test_without_a_password_none_is_shown(tmp_path):
    """`null` stands where there is no secret."""
    shown = yaml.safe_load(show(_load(tmp_path / "a.yaml", SMALLEST)))

    assert shown["source"]["security"]["password"] is None


NAMES = st.text(min_size=1, max_size=128).filter(lambda name: name.isprintable() and "://" not in name)


@settings(deadline=None)
@given(model=NAMES, feature=NAMES, column=NAMES, values=st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_any_name_reads_back_as_itself(tmp_path_factory, model, feature, column, values):
    """A feature called `no`, `1e3` or `: -` is quoted where it must be."""
    path = tmp_path_factory.getbasetemp() / "names.yaml"
    config = _load(path, SMALLEST, {})
    own = config.models[0].model_validate(
        {
            "name": model,
            "baselines": "b.json",
            "features": {feature: {"ignore": True}},
            "slices": [{"column": column, "values": values}],
        }
    )

    (again,) = _load(path, show(config.model_copy(update={"models": (own,)}))).models

    assert (again.name, list(again.features), again.slices) == (model, [feature], own.slices)


@settings(deadline=None)
@given(st.floats(min_value=0, allow_infinity=False))
def test_any_threshold_reads_back_as_itself(tmp_path_factory, number):
    """Numbers lose nothing on the way."""
    path = tmp_path_factory.getbasetemp() / "numbers.yaml"
    config = _load(path, f"{SMALLEST}decision: {{statistics: {{wasserstein: {{threshold: {number!r}}}}}}}")

    again = _load(path, show(config))

    assert again.decision.statistics["wasserstein"].threshold == number


def test_secrets_of_sinks_are_never_shown(tmp_path):
    """Addresses and tokens from the environment; only that they are there."""
    config = _load(
        tmp_path / "a.yaml",
        SMALLEST + "alerts: {sinks: [{kind: slack}, {kind: alertmanager, urls: ['http://a:9093']}]}\n",
        {
            "DRIFT_ALERTS__SINKS__0__URL": "https://hooks.slack.com/services/hunter22",
            "DRIFT_ALERTS__SINKS__1__AUTHORIZATION__BEARER_TOKEN": "hunter22",
        },
    )
    shown = yaml.safe_load(show(config))["alerts"]["sinks"]

    assert "hunter22" not in show(config) + repr(config)
    assert shown[0]["url"] == shown[1]["authorization"]["bearer_token"] == "<set>"
    assert shown[1]["urls"] == ["http://a:9093"]
