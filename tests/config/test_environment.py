"""Settings from environment variables: they win over the file, reach everywhere, and are named when wrong."""

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
        pytest.param("SOURCE__GROUP_ID", "null", "source.group_id", None, id="null where text must be"),
        pytest.param("SOURCE__START", "-2h", "source.start", "-2h", id="start"),
        pytest.param("SOURCE__MAX_POLL_RECORDS", "5", "source.max_poll_records", 5, id="number of a kind"),
        pytest.param("HTTP__PORT", "2222", "http.port", 2222, id="number"),
        pytest.param("HTTP__ENABLED", "false", "http.enabled", False, id="boolean"),
        pytest.param("http__port", "2222", "http.port", 1111, id="prefix alone is in capitals"),
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
def test_a_variable_wins_over_the_file(load, problems, variable, text, path, value):
    """Whatever the file says, the variable's value is in force, read as its setting's type."""
    environ = {variable if variable.islower() else f"DRIFT_{variable}": text}
    if value is None and path == "source.group_id":
        (problem,) = problems(environ)
        assert problem.startswith("DRIFT_SOURCE__GROUP_ID: source.group_id: expected text (found nothing)")
    else:
        assert _at(load(environ), path) == value
