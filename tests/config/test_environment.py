"""Settings from environment variables: they win over the file, reach everywhere, and are named when wrong."""
# ruff: noqa: E501 - a row of a table reads best in one line

import pytest

from detector.config import Config, InvalidConfigError, load_config

FILE = """\
source:
  kind: kafka
  bootstrap_servers: [file:9092]
  topics: [from-file]
models:
  - name: credit
    baselines: credit.json
    features:
      Income: {ignore: true}
http:
  port: 1111
"""


@pytest.fixture
def load(tmp_path):
    """Load FILE, or another text, with the given environment."""

    def load(environ: dict[str, str], text: str = FILE) -> Config:
        path = tmp_path / "a.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, environ)

    return load


@pytest.fixture
def problems(load):
    """Return what is wrong with FILE, or another text, in the given environment."""

    def problems(environ: dict[str, str], text: str = FILE) -> tuple[str, ...]:
        with pytest.raises(InvalidConfigError) as caught:
            load(environ, text)
        return caught.value.problems

    return problems


def _at(config, path):
    """Return what stands at a dotted path of a configuration."""
    value = config
    for key in path.split("."):
        if isinstance(value, tuple):
            value = value[int(key)]
        else:
            value = value[key] if isinstance(value, dict) else getattr(value, key)
    return value


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        pytest.param("SOURCE__BOOTSTRAP_SERVERS", "a:1,b:2", "source.bootstrap_servers", ("a:1", "b:2"), id="commas"),
        pytest.param("SOURCE__BOOTSTRAP_SERVERS", " a:1 , ", "source.bootstrap_servers", ("a:1",), id="spaces"),
        pytest.param("SOURCE__BOOTSTRAP_SERVERS", "[a:1, b:2]", "source.bootstrap_servers", ("a:1", "b:2"), id="brackets"),
        pytest.param("SOURCE__BOOTSTRAP_SERVERS__0", "a:1", "source.bootstrap_servers", ("a:1",), id="one of a list"),
        pytest.param("SOURCE__TOPICS__1", "more", "source.topics", ("from-file", "more"), id="one more in a list"),
        pytest.param("SOURCE__GROUP_ID", "007", "source.group_id", "007", id="text that looks like a number"),
        pytest.param("SOURCE__START", "-2h", "source.start", "-2h", id="start"),
        pytest.param("SOURCE__MAX_POLL_RECORDS", "5", "source.max_poll_records", 5, id="number of a kind"),
        pytest.param("HTTP__PORT", "2222", "http.port", 2222, id="number"),
        pytest.param("HTTP__ENABLED", "false", "http.enabled", False, id="boolean"),
        pytest.param("LOG__LEVEL", "DEBUG", "log.level", "debug", id="level in capitals"),
        pytest.param("WINDOWS__LENGTHS", "5m,1h", "windows.lengths", ("5m", "1h"), id="durations"),
        pytest.param("WINDOWS__PANE", "30s", "windows.pane", "30s", id="duration"),
        pytest.param("EVENT__MAX_BYTES", "64KiB", "event.max_bytes", "64KiB", id="size as text"),
        pytest.param("EVENT__MAX_BYTES", "65536", "event.max_bytes", 65536, id="size as number"),
        pytest.param("EVENT__FIELDS__LABEL", "null", "event.fields.label", None, id="null"),
        pytest.param("EVENT__FIELDS__LABEL", "~", "event.fields.label", None, id="tilde"),
        pytest.param("EVENT__FIELDS__FEATURES", "", "event.fields.features", "", id="the whole event"),
        pytest.param("EVENT__FIELDS__FEATURES", "{a: /b}", "event.fields.features", {"a": "/b"}, id="mapping"),
        pytest.param("DECISION__STATISTICS__UNSEEN__THRESHOLD", "off", "decision.statistics.unseen.threshold", "off", id="off"),
        pytest.param("DECISION__STATISTICS__UNSEEN__THRESHOLD", "0.2", "decision.statistics.unseen.threshold", 0.2, id="threshold"),
        pytest.param("METRICS__STATISTICS", "unseen", "metrics.statistics", ("unseen",), id="list of one"),
        pytest.param("MODELS__0__NAME", "other", "models.0.name", "other", id="in a list"),
        pytest.param("MODELS__0__SLICES", "country,channel", "models.0.slices.1.column", "channel", id="slices"),
        pytest.param("MODELS__0__FEATURES__INCOME__IGNORE", "false", "models.0.features.Income.ignore", False, id="key of the file"),
        pytest.param("MODELS__0__FEATURES__AGE__IGNORE", "true", "models.0.features.age.ignore", True, id="new key"),
        pytest.param("MODELS__0__FEATURES__Age__IGNORE", "true", "models.0.features.Age.ignore", True, id="new key in its own case"),
        pytest.param("MODELS__0__DECISION__MIN_SAMPLES", "5", "models.0.decision.min_samples", 5, id="of a model"),
        pytest.param("ALERTS__SINKS__0__KIND", "log", "alerts.sinks.0.kind", "log", id="kind of a sink"),
        pytest.param("STATE__DIRECTORY", "/x", "state.directory", "/x", id="section that the file has not"),
    ],
)  # fmt: skip
def test_a_variable_wins_over_the_file(load, variable, text, path, value):
    """Whatever the file says, the variable's value is in force, read as its setting's type."""
    assert _at(load({f"DRIFT_{variable}": text}), path) == value


def test_variables_can_stand_for_what_the_file_leaves_out(load):
    """A container may take its whole source from the environment."""
    environ = {
        "DRIFT_SOURCE__KIND": "kafka",
        "DRIFT_SOURCE__BOOTSTRAP_SERVERS": "a:1",
        "DRIFT_SOURCE__TOPICS": "events",
    }

    assert load(environ, "models: [{name: m, baselines: b.json}]").source.topics == ("events",)


def test_a_whole_model_can_come_from_variables(load):
    """Entries of a list that the file does not have are made, in the order of their numbers."""
    environ = {f"DRIFT_MODELS__{i}__{key}": f"{key}{i}" for i in (0, 1) for key in ("NAME", "BASELINES")}
    text = "source: {kind: kafka, bootstrap_servers: [a:1], topics: [t]}"

    assert [model.name for model in load(environ, text).models] == ["NAME0", "NAME1"]


def test_an_inner_variable_changes_what_an_outer_one_says(load):
    """The more a variable says where, the later it is put in; the order of the environment is no matter."""
    environ = {
        "DRIFT_SOURCE__TOPICS__0": "inner",
        "DRIFT_SOURCE__TOPICS": "a,b",
        "DRIFT_SOURCE": "{kind: kafka, bootstrap_servers: [c:1], topics: [x]}",
    }

    source = load(environ).source

    assert source.topics == ("inner", "b")
    assert source.bootstrap_servers == ("c:1",)


def test_a_password_comes_from_a_variable_as_it_is(load):
    """Nothing in a password is read as YAML: no number, no list, no null, no remark."""
    environ = {
        "DRIFT_SOURCE__SECURITY__PROTOCOL": "SASL_SSL",
        "DRIFT_SOURCE__SECURITY__MECHANISM": "PLAIN",
        "DRIFT_SOURCE__SECURITY__USERNAME": "drift",
    }

    for password in ("007", "[a, b]", "null", "a # b", " x ", "'y'", "${Z}"):
        source = load(environ | {"DRIFT_SOURCE__SECURITY__PASSWORD": password}).source
        assert source.security.password.get_secret_value() == password


@pytest.mark.parametrize(
    "variable",
    [
        pytest.param("DRIFT_SERVICE_HOST", id="address of a service called drift"),
        pytest.param("DRIFT_SERVICE_PORT", id="its port"),
        pytest.param("DRIFT_SERVICE_PORT_HTTP", id="its named port"),
        pytest.param("DRIFT_PORT", id="its address"),
        pytest.param("DRIFT_PORT_9723_TCP_ADDR", id="one port's address"),
        pytest.param("DRIFT_DETECTOR_SERVICE_HOST", id="address of a service called drift-detector"),
        pytest.param("DRIFT_DETECTOR_PORT_9723_TCP", id="its port's address"),
        pytest.param("DRIFT_TEST_KAFKA", id="of the tests"),
        pytest.param("HTTP__PORT", id="another prefix"),
        pytest.param("drift_http__port", id="small letters"),
        pytest.param("XDRIFT_HTTP__PORT", id="prefix inside"),
    ],
)
def test_variables_of_others_are_left_alone(load, variable):
    """Kubernetes names services in variables that begin like ours; they are no settings."""
    assert load({variable: "tcp://10.0.0.1:9723"}).http.port == 1111


BAD = [
    pytest.param(
        "HTTP__PROT",
        "1",
        "names no setting: unknown key 'prot' below DRIFT_HTTP; did you mean 'port'? (allowed: enabled, host, port, token_file, token, basic, tls)",
        id="unknown key",
    ),
    pytest.param("HTP__PORT", "1", "names no setting: unknown key 'htp'; did you mean 'http'? (allowed: ", id="unknown section"),
    pytest.param("HTTP_PORT", "1", "names no setting: unknown key 'http_port'; did you mean 'http'?", id="one underscore"),
    pytest.param("", "1", "names no setting: unknown key ''; allowed: source", id="prefix without a name"),
    pytest.param("HTTP__", "1", "names no setting: unknown key '' below DRIFT_HTTP; allowed: ", id="nothing behind"),
    pytest.param("HTTP__PORT__X", "1", "names no setting: unknown key 'x' below DRIFT_HTTP__PORT; remove it", id="below a number"),
    pytest.param(
        "MODELS__2__NAME", "x", "names no setting: no entry 2 in a list of 1; count from 0, without gaps", id="gap in a list"
    ),
    pytest.param("MODELS__X__NAME", "x", "names no setting: unknown key 'x' below DRIFT_MODELS; remove it", id="word into a list"),
    pytest.param("HTTP__PORT", "many", "http.port: expected a whole number (found 'many'); write it in digits", id="no number"),
    pytest.param("HTTP__PORT", "70000", "http.port: must be at most 65535 (found 70000); write a smaller number", id="too large"),
    pytest.param("HTTP__ENABLED", "yes", "http.enabled: expected true or false (found 'yes'); write true or false", id="yes"),
    pytest.param("HTTP__PORT", "[1", "not valid YAML: ", id="no YAML"),
    pytest.param("HTTP__PORT", "&a 1", "anchor &a; remove it", id="anchor"),
    pytest.param("HTTP", "5", "http: expected a mapping (found 5); write ", id="number for a section"),
    pytest.param("SOURCE__BOOTSTRAP_SERVERS", "a:1,b", "source.bootstrap_servers: 'b' is no address", id="address without port"),
    pytest.param("SOURCE__GROUP_ID", "null", "source.group_id: expected text (found nothing)", id="null for text"),
    pytest.param("SOURCE__KIND", "kafak", "source.kind: unknown source kind 'kafak'; did you mean 'kafka'?", id="unknown kind"),
    pytest.param("WINDOWS__LENGTHS", "90s", "windows.lengths: 90s is not a whole number of panes of 1m", id="lengths"),
    pytest.param(
        "DECISION__STATISTICS__UNSEEM__THRESHOLD", "0.1", "decision.statistics.unseem: unknown statistic 'unseem'", id="statistic"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "text", "message"), BAD)
def test_a_bad_variable_is_named_with_what_is_wrong(problems, variable, text, message):
    """The message begins with the variable, for the file is not where to look."""
    (problem,) = problems({f"DRIFT_{variable}": text})

    assert problem.startswith(f"DRIFT_{variable}: {message}")


def test_bad_variables_are_all_reported_before_what_is_wrong_in_the_file(problems):
    """Nobody mends one variable only to hear of the next."""
    environ = {"DRIFT_HTTP__PROT": "1", "DRIFT_LOG__LEVEL": "loud", "DRIFT_ALERTS__RAISE_AFTER": "0"}

    found = problems(environ, FILE.replace("1111", "many"))

    assert sorted(problem.split(":")[0] for problem in found[:3]) == sorted(environ)
    assert "a.yaml:11: http.port: expected a whole number" in found[3]
    assert len(found) == 4


def test_a_variable_puts_right_what_the_file_has_wrong(load):
    """What a variable replaces is not judged."""
    assert load({"DRIFT_HTTP__PORT": "2222"}, FILE.replace("1111", "many")).http.port == 2222


@pytest.mark.parametrize(
    ("section", "variable", "text", "path", "value"),
    [
        pytest.param("http: [a, list]", "HTTP__PORT", "2222", "http.port", 2222, id="a list for a section"),
        pytest.param("http: text", "HTTP__PORT", "2222", "http.port", 2222, id="a text for a section"),
        pytest.param("alerts: {sinks: {kind: x}}", "ALERTS__SINKS__0__KIND", "log", "alerts.sinks.0.kind", "log", id="a mapping for a list"),
        pytest.param("decision: {statistics: 5}", "DECISION__STATISTICS__UNSEEN__THRESHOLD", "0.1", "decision.statistics.unseen.threshold", 0.1, id="a number for a mapping"),
    ],
)  # fmt: skip
def test_a_variable_wins_over_what_has_another_shape(load, section, variable, text, path, value):
    """What the file says in place of the section gives way."""
    config = load({f"DRIFT_{variable}": text}, FILE.replace("http:\n  port: 1111\n", section))

    assert _at(config, path) == value


@pytest.mark.parametrize("name", ["PASSWORD", "PASSWROD"])
def test_a_password_in_a_variable_is_never_repeated(problems, name):
    """Not in the message about its own setting, nor about a misspelt one."""
    environ = {f"DRIFT_SOURCE__SECURITY__{name}": "hunter22", "DRIFT_SOURCE__SECURITY__USERNAME": "hunter22"}

    assert "hunter22" not in "\n".join(problems(environ))
