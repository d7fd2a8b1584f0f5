"""What is said about a configuration that is wrong: file, line, setting, what was found, and the remedy."""
# ruff: noqa: E501 - a row of a table reads best in one line

import json
import re
from copy import deepcopy
from functools import reduce
from operator import getitem

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import REJECT_REASONS
from detector.config import InvalidConfigError, load_config, show
from detector.config.problems import MAX_PROBLEMS, variable_of

SOURCE = "source: {kind: kafka, bootstrap_servers: [a:9092], topics: [t]}\n"
MODELS = "models: [{name: m, baselines: b.json}]\n"
STATISTICS = (
    "chi_square, hellinger, jensen_shannon, kolmogorov_smirnov, l_infinity, missing, non_finite, outside, "
    "population_stability, total_variation, type_mismatch, unseen, wasserstein, wasserstein_std"
)


@pytest.fixture
def problems(tmp_path):
    """Return what is wrong with a text, each with the file named `FILE`."""

    def problems(text: str, **more) -> list[str]:
        path = tmp_path / "a.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidConfigError) as caught:
            load_config(path, {}, **more)
        return [problem.replace(str(path), "FILE") for problem in caught.value.problems]

    return problems


def _named(table):
    """Return the rows of a table as parameters; its first column is the id."""
    return [pytest.param(*row[1:], id=row[0]) for row in table]


SOURCES = [
    ("address without port", "bootstrap_servers: [a], topics: [t]", "bootstrap_servers: 'a' is no address; write it like kafka-1:9092"),
    ("one address without port", "bootstrap_servers: [a:1, b], topics: [t]", "bootstrap_servers: 'b' is no address; write it like kafka-1:9092"),
    ("addresses as text", "bootstrap_servers: a:1, topics: [t]", "bootstrap_servers: expected a list (found 'a:1'); write it like [first, second]"),
    ("no addresses", "topics: [t]", "bootstrap_servers: required, but not there; add `bootstrap_servers:`"),
    ("no topics", "bootstrap_servers: [a:1], topics: []", "topics: needs at least 1 (found an empty list); add one"),
    ("topic twice", "bootstrap_servers: [a:1], topics: [t, t]", "topics: a topic stands twice; remove one"),
    ("start", "bootstrap_servers: [a:1], topics: [t], start: noon", "start: 'noon' is no start; write latest, earliest, a duration like -2h, or a time like 2026-11-23T00:00:00Z"),
    ("protocol", "bootstrap_servers: [a:1], topics: [t], security: {protocol: TLS}", "security.protocol: expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL (found 'TLS'); write one of these"),
    ("user without protocol", "bootstrap_servers: [a:1], topics: [t], security: {username: u}", "security: mechanism and username need protocol SASL_SSL, not PLAINTEXT"),
    ("unknown key", "bootstrap_servers: [a:1], topic: [t]", "topic: unknown key 'topic'; did you mean 'topics'? (allowed: kind, bootstrap_servers, topics, group_id, election, session_timeout, instance_id, start, security, max_poll_records, max_batch_bytes)"),
]  # fmt: skip

FILES = [
    ("unknown section", "htp: {}", "htp: unknown key 'htp'; did you mean 'http'? (allowed: source, event, schema_registry, dead_letter, models, windows, decision, alerts, http, metrics, privacy, state, limits, log, reload)"),
    ("unknown key", "http: {prot: 1}", "http.prot: unknown key 'prot'; did you mean 'port'? (allowed: enabled, host, port, token_file, token, basic, tls)"),
    ("unknown key far from all", "http: {zzz: 1}", "http.zzz: unknown key 'zzz'; allowed: enabled, host, port, token_file, token, basic, tls"),
    ("text for a number", "http: {port: '9'}", "http.port: expected a whole number (found '9'); write it in digits, without quotes or a unit"),
    ("fraction for a whole number", "http: {port: 1.5}", "http.port: expected a whole number (found 1.5); write it in digits, without quotes or a unit"),
    ("huge whole number", "http: {port: 123456789012345678901}", "http.port: expected a whole number (found 1.2345678901234568e+20); write it in digits, without quotes or a unit"),
    ("number for true", "http: {enabled: 1}", "http.enabled: expected true or false (found 1); write true or false, without quotes"),
    ("number for text", "http: {host: 5}", "http.host: expected text (found 5); put it in quotes"),
    ("list for a section", "http: [1]", "http: expected a mapping (found a list); write `key: value` lines below it, or {key: value}"),
    ("text for a list", "windows: {lengths: 10m}", "windows.lengths: expected a list (found '10m'); write it like [first, second]"),
    ("too large", "http: {port: 70000}", "http.port: must be at most 65535 (found 70000); write a smaller number"),
    ("too small", "alerts: {raise_after: 0}", "alerts.raise_after: must be at least 1 (found 0); write a larger number"),
    ("percent", "decision: {min_effect: 10%}", "decision.min_effect: expected a number (found '10%'); write it like 0.1"),
    ("choice", "log: {level: loud}", "log.level: expected debug, info, warning or error (found 'loud'); write one of these"),
    ("misspelt choice", "log: {level: debgu}", "log.level: expected debug, info, warning or error (found 'debgu'); did you mean 'debug'?"),
    ("duration", "windows: {pane: 1x}", "windows.pane: '1x' is not a duration; write it like 30s, 10m, 1h30m or 7d"),
    ("duration without unit", "windows: {pane: 60}", "windows.pane: expected a duration (found 60); write it with its unit, like 60s or 10m"),
    ("duration too short", "windows: {pane: 0s}", "windows.pane: must be at least 1s (found '0s'); write it like 30s, 10m or 1h30m"),
    ("duration too long", "windows: {lateness: 99999d}", "windows.lateness: longer than ten years (found '99999d'); check the unit"),
    ("lengths not divisible", "windows: {lengths: [90s]}", "windows.lengths: 90s is not a whole number of panes of 1m; choose different lengths that `pane` divides"),
    ("length twice", "windows: {lengths: [60m, 1h]}", "windows.lengths: each window length may stand there once; choose different lengths that `pane` divides"),
    ("too many panes", "windows: {pane: 1s, lengths: [365d]}", "windows.lengths.0: more than 100000 panes of 1s (found '365d'); choose a longer pane"),
    ("lateness too long", "windows: {pane: 1s, lateness: 1h}", "windows.lateness: more than 128 panes of 1s (found '1h'); choose a longer pane or a shorter lateness"),
    ("statistic", "decision: {statistics: {psi: {}}}", f"decision.statistics.psi: unknown statistic 'psi'; allowed: {STATISTICS}"),
    ("unknown reason", "dead_letter: {topic: l, only: [lat]}", "dead_letter.only.0: unknown reason 'lat'; did you mean 'late'? (allowed: " + ", ".join(REJECT_REASONS) + ")"),
    ("dead letters of a topic that is read", "dead_letter: {topic: t}", "dead_letter.topic: is read itself, so what is rejected would come round for ever (found 't'); name another topic"),
    ("misspelt statistic", "metrics: {statistics: [unseem]}", f"metrics.statistics.0: unknown statistic 'unseem'; did you mean 'unseen'? (allowed: {STATISTICS})"),
    ("threshold too large", "decision: {statistics: {missing: {threshold: 1.5}}}", "decision.statistics.missing.threshold: missing is never above 1 (found 1.5); write a smaller number"),
    ("threshold negative", "decision: {statistics: {missing: {threshold: -1}}}", "decision.statistics.missing.threshold: must be at least 0 (found -1); write a number, auto or off"),
    ("threshold in words", "decision: {statistics: {missing: {threshold: high}}}", "decision.statistics.missing.threshold: expected a number, auto or off (found 'high'); write one of them"),
    ("size", "event: {max_bytes: 1MBit}", "event.max_bytes: expected a size in bytes (found '1MBit'); write it like 65536, 64KiB or 1MiB"),
    ("size too large", "event: {max_bytes: 2GiB}", "event.max_bytes: must lie between 1 byte and 1GiB (found '2GiB'); write it like 64KiB or 1MiB"),
    ("event format", "event: {format: jsonn}", "event.format: unknown event format (found 'jsonn'); did you mean 'json'? (allowed: avro, json, kserve, msgpack, seldon)"),
    ("a format without its schemas", "event: {format: avro}", "event.format: 'avro' needs a schema registry; say where schemas are: `schema_registry: {url: http://schema-registry:8081}`"),
    ("settings of another format", "event: {kserve: {model: m}}", "event.kserve: of no use with `format: json`; remove it"),
    ("fields of a format that has its own", "event: {format: seldon, fields: {model: /m}}", "event.fields: of no use with `format: seldon`, which knows where parts lie; remove it, and see `event.seldon`"),
    ("no names", "event: {format: kserve, kserve: {feature_names: a}}", "event.kserve.feature_names: expected a list or a mapping (found 'a'); write one of these"),
    ("no address", "schema_registry: {url: registry}", "schema_registry.url: no address (found 'registry'); write it like http://schema-registry:8081"),
    ("a user without a password", "schema_registry: {url: http://r:1, username: u}", "schema_registry: a user needs a password and a password a user; write username and password_file"),
    ("a long timeout", "schema_registry: {url: http://r:1, timeout: 1h}", "schema_registry.timeout: must lie between 0.1s and 10s (found '1h'); write it like 5s"),
    ("pointer", "event: {fields: {time: timestamp}}", "event.fields.time: not a JSON pointer (found 'timestamp'); write it like /features/age"),
    ("pointer to all", "event: {fields: {time: ''}}", "event.fields.time: points at the whole event (found ''); write it like /model, or null where there is none"),
    ("pointer to a feature", "event: {fields: {features: {age: age}}}", "event.fields.features.age: not a JSON pointer (found 'age'); write it like /features/age"),
    ("places within each other", "event: {fields: {time: /features/t}}", "event.fields.time: '/features/t' lies within the place of features, '/features'; point at different places"),
    ("unknown sink", "alerts: {sinks: [{kind: pager}]}", "alerts.sinks.0.kind: unknown sink kind 'pager'; allowed: alertmanager, kafka, log, slack, webhook"),
    ("sink as text", "alerts: {sinks: [log]}", "alerts.sinks.0: expected a mapping (found 'log'); write it like {kind: alertmanager} (kinds: alertmanager, kafka, log, slack, webhook)"),
    ("sink without kind", "alerts: {sinks: [{}]}", "alerts.sinks.0.kind: required, but not there; add `kind:` with one of alertmanager, kafka, log, slack, webhook"),
    ("unknown key of a sink", "alerts: {sinks: [{kind: log, url: x}]}", "alerts.sinks.0.url: unknown key 'url'; allowed: kind, name, only, severity"),
    ("unknown alert", "alerts: {sinks: [{kind: log, only: [Drift]}]}", "alerts.sinks.0.only.0: unknown alert (found 'Drift'); allowed: DriftFeatureDrifted, DriftPredictionDrifted, DriftDatasetDrifted, DriftSchemaAnomaly"),
    ("unknown severity", "alerts: {sinks: [{kind: log, severity: [high]}]}", "alerts.sinks.0.severity.0: expected critical or warning (found 'high'); write one of these"),
    ("sink without addresses", "alerts: {sinks: [{kind: alertmanager}]}", "alerts.sinks.0.urls: required, but not there; add `urls:`"),
    ("sink with no addresses", "alerts: {sinks: [{kind: alertmanager, urls: []}]}", "alerts.sinks.0.urls: needs at least 1 (found an empty list); add one"),
    ("no address", "alerts: {sinks: [{kind: alertmanager, urls: [alertmanager:9093]}]}", "alerts.sinks.0.urls.0: no address (found 'alertmanager:9093'); write it like https://host/path"),
    ("a query in an address", "alerts: {sinks: [{kind: alertmanager, urls: ['http://a/?b']}]}", "alerts.sinks.0.urls.0: more than an address (found 'http://a/?b'); write it like http://alertmanager:9093"),
    ("password in an address", "alerts: {sinks: [{kind: alertmanager, urls: ['http://u:hunter22@a']}]}", "alerts.sinks.0.urls.0: an address with a password does not belong in the file; use the environment variable DRIFT_ALERTS__SINKS__0__URLS__0"),
    ("webhook without an address", "alerts: {sinks: [{kind: webhook}]}", "alerts.sinks.0: needs one address: name a url_file that holds it, or set its url by the environment"),
    ("secret address", "alerts: {sinks: [{kind: slack, url: 'https://hooks/T0/B0/hunter22'}]}", "alerts.sinks.0.url: a secret does not belong in the file; use url_file or the environment variable DRIFT_ALERTS__SINKS__0__URL"),
    ("token in the file", "alerts: {sinks: [{kind: slack, url_file: u, authorization: {bearer_token: hunter22}}]}", "alerts.sinks.0.authorization.bearer_token: a secret does not belong in the file; use bearer_token_file or the environment variable DRIFT_ALERTS__SINKS__0__AUTHORIZATION__BEARER_TOKEN"),
    ("user without a password", "alerts: {sinks: [{kind: slack, url_file: u, authorization: {username: u}}]}", "alerts.sinks.0.authorization: a user needs a password: name a password_file"),
    ("two ways in", "alerts: {sinks: [{kind: slack, url_file: u, authorization: {username: u, password_file: p, bearer_token_file: t}}]}", "alerts.sinks.0.authorization: a password and a bearer token; use one of them"),
    ("queue too small", "alerts: {sinks: [{kind: slack, url_file: u, delivery: {queue: 1}}]}", "alerts.sinks.0.delivery.queue: must be at least 100 (found 1); write a larger number"),
    ("no wait", "alerts: {sinks: [{kind: slack, url_file: u, delivery: {timeout: 0s}}]}", "alerts.sinks.0.delivery.timeout: must lie above 0s and be at most 24h (found '0s'); write it like 10s or 1h"),
    ("no topic", "alerts: {sinks: [{kind: kafka, bootstrap_servers: [a:1], topic: a b}]}", "alerts.sinks.0.topic: 'a b' is no topic name; letters, digits, dot, underscore and dash"),
    ("key of the other kind", "state: {topic: x}", "state.topic: unknown key 'topic'; allowed: kind, directory, every"),
    ("state on the web", "state: {directory: 's3://b'}", "state.directory: an address instead of a file (found 's3://b'); only local files are read"),
    ("variable", "http: {host: '${HOST}'}", "http.host: variables are not put into the file (found '${HOST}'); use the environment variable DRIFT_HTTP__HOST"),
    ("anchor", "http: &h {port: 1}", "anchor &h; remove it and write repeated values out"),
    ("merge key", "<<: {http: {}}", "merge key <<; write the settings out"),
    ("key twice", "models: []", "key 'models' stands twice, first on line 2; remove one"),
    ("number too large", "http: {port: 1e999}", "a number too large to handle; write a smaller one"),
]  # fmt: skip

IN_A_MODEL = [
    ("misspelt required key", "nmae: m, baselines: b", "nmae: unknown key 'nmae'; did you mean 'name'? (allowed: name, baselines, slices, environment, features, decision)"),
    ("name is a number", "name: 5, baselines: b", "name: expected text (found 5); put it in quotes"),
    ("name too long", f"name: {'x' * 129}, baselines: b", f"name: longer than 128 characters (found '{'x' * 57}...'); shorten it"),
    ("name does not print", 'name: "a\\tb", baselines: b', "name: holds characters that do not print (found 'a\\tb'); remove them"),
    ("no baselines", "name: m", "baselines: required, but not there; add `baselines:`"),
    ("placeholder", "name: m, baselines: 'b-{v}.json'", "baselines: the only placeholder is {version}, once (found 'b-{v}.json'); write it like baselines/credit-{version}.json"),
    ("slice twice", "name: m, baselines: b, slices: [a, a]", "slices.1.column: 'a' stands twice; remove one"),
    ("slice without values", "name: m, baselines: b, slices: [{column: a, values: []}]", "slices.0.values: no values; name some, or write null for those of the baseline"),
    ("slice is a number", "name: m, baselines: b, slices: [5]", "slices.0: expected a column's name (found 5); write country, or {column: country, values: [DE]}"),
    ("feature with spaces", "name: m, baselines: b, features: {'x y': {ignor: true}}", "features.'x y'.ignor: unknown key 'ignor'; did you mean 'ignore'? (allowed: ignore, min_effect, importance, sensitive, statistics)"),
    ("feature without a name", "name: m, baselines: b, features: {'': {}}", "features.'': must not be empty (found ''); write a name"),
    ("threshold", "name: m, baselines: b, features: {a: {statistics: {unseen: {threshold: 2}}}}", "features.a.statistics.unseen.threshold: unseen is never above 1 (found 2); write a smaller number"),
]  # fmt: skip

WHOLE = [
    ("no models", SOURCE, "FILE:1: models: required, but not there; add `models:`"),
    ("no source", MODELS, "FILE:1: source: required, but not there; add `source:`"),
    ("empty models", SOURCE + "models: []", "FILE:2: models: needs at least 1 (found an empty list); add one"),
    ("models is a mapping", SOURCE + "models: {name: m}", "FILE:2: models: expected a list (found a mapping); write it like [first, second]"),
    ("model twice", SOURCE + "models:\n- {name: m, baselines: b}\n- name: m\n  baselines: b", "FILE:4: models.1.name: 'm' stands twice; remove one"),
    ("unknown kind", "source: {kind: kafak}\n" + MODELS, "FILE:1: source.kind: unknown source kind 'kafak'; did you mean 'kafka'? (allowed: kafka, replay)"),
    ("no kind", "source: {topics: [t]}\n" + MODELS, "FILE:1: source.kind: required, but not there; add `kind:` with one of kafka, replay"),
    ("source as text", "source: kafka\n" + MODELS, "FILE:1: source: expected a mapping (found 'kafka'); write it like {kind: kafka} (kinds: kafka, replay)"),
    ("replay", "source:\n  kind: replay\n" + MODELS, "FILE:2: source.kind: 'replay' is for the `replay` command only; name a source of events, such as kafka"),
    ("list", "- source\n- models", "FILE:1: a list instead of a mapping; write `key: value` lines"),
    ("empty", "", "FILE:1: empty; give at least `source` and `models`"),
    ("tab", "source:\n\tkind: kafka", "FILE:2: not valid YAML: a tab where there may be none; indent with spaces"),
    ("two documents", SOURCE + MODELS + "---\nhttp: {}", "FILE:3: a second document begins; keep one document a file"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "message"), _named(FILES))
def test_what_is_wrong_in_a_section_is_told_once_with_its_remedy(problems, section, message):
    """One line: the file, the line, the setting, what was found, what to write instead."""
    assert problems(SOURCE + MODELS + section) == [f"FILE:3: {message}"]


@pytest.mark.parametrize(("settings", "message"), _named(SOURCES))
def test_what_is_wrong_in_the_source_is_told_the_same_way(problems, settings, message):
    """Settings that lie beside their code make the same messages."""
    assert problems(f"{MODELS}source: {{kind: kafka, {settings}}}") == [f"FILE:2: source.{message}"]


@pytest.mark.parametrize(("settings", "message"), _named(IN_A_MODEL))
def test_what_is_wrong_in_a_model_names_which_model(problems, settings, message):
    """The models are counted from 0, as in the names of variables."""
    text = f"{SOURCE}models:\n- {{name: first, baselines: b}}\n- {{{settings}}}"

    assert problems(text) == [f"FILE:4: models.1.{message}"]


@pytest.mark.parametrize(("text", "message"), _named(WHOLE))
def test_what_is_wrong_with_the_file_as_a_whole_is_told(problems, text, message):
    """Nothing is missing silently, and nothing is half read."""
    assert problems(text) == [message]


def test_the_line_is_that_of_the_setting_not_of_its_section(problems):
    """In a long file the cursor lands where the mistake is."""
    text = SOURCE + MODELS + "http:\n  # where it listens\n  host: 0.0.0.0\n  port: x\n"

    assert problems(text)[0].startswith("FILE:6: http.port: ")


def test_every_problem_is_told_at_once_in_the_order_of_the_file(problems):
    """Nobody mends one mistake only to hear of the next."""
    text = (
        "log: {level: loud}\nsource: {kind: kafka, topics: [t]}\nhttp:\n  prot: 1\n  enabled: 5\n"
        "alerts: {sinks: [{kind: pager}]}\nmodels: [{name: ''}]\nwindows: {pane: 1x, lateness: 5}\n"
    )

    assert [re.match(r"FILE:(\d+): ([\w.]+): ", problem).groups() for problem in problems(text)] == [
        ("1", "log.level"),
        ("2", "source.bootstrap_servers"),
        ("4", "http.prot"),
        ("5", "http.enabled"),
        ("6", "alerts.sinks.0.kind"),
        ("7", "models.0.name"),
        ("7", "models.0.baselines"),
        ("8", "windows.pane"),
        ("8", "windows.lateness"),
    ]


def test_the_message_of_many_problems_is_the_first_and_how_to_see_the_rest(tmp_path):
    """A log gets one line, which says how many more there are."""
    path = tmp_path / "a.yaml"
    path.write_text(SOURCE + MODELS + "http: {port: x}\nlog: {level: x, format: x}", encoding="utf-8")

    with pytest.raises(InvalidConfigError) as caught:
        load_config(path, {})

    first, *rest = caught.value.problems
    assert len(rest) == 2
    assert str(caught.value) == f"{first} (and 2 more: run `drift-detector check-config {path}`)"


def test_more_problems_than_anybody_reads_are_not_told(problems):
    """Ten thousand wrong lines make fifty messages."""
    wrong = ", ".join(f"f{i}: {{ignore: 5}}" for i in range(10_000))

    found = problems(f"{SOURCE}models: [{{name: m, baselines: b, features: {{{wrong}}}}}]")

    assert len(found) == MAX_PROBLEMS


def test_a_message_is_one_printable_line(problems):
    """Text of the file can neither break the line of a log nor turn its direction."""
    (problem,) = problems(SOURCE + MODELS + '"evil\\nkey\\u202e": 1')
    assert problem.isprintable()
    assert r"'evil\nkey\u202e'" in problem


SECRETS = [
    ("password", "security: {protocol: SASL_SSL, mechanism: PLAIN, username: u, password: hunter22}", "source.security.password: a secret does not belong in the file; use password_file or the environment variable DRIFT_SOURCE__SECURITY__PASSWORD"),
    ("misplaced password", "sasl_password: hunter22", "source.sasl_password: a secret does not belong in the file; use sasl_password_file or the environment variable DRIFT_SOURCE__SASL_PASSWORD"),
    ("misspelt password", "security: {pasword: hunter22}", "source.security.pasword: unknown key 'pasword'; did you mean 'password'?"),
    ("number as password", "security: {password: 271828}", "source.security.password: a secret does not belong in the file"),
    ("in an address", "group_id: 'kafka://u:hunter22@a:1'", "source.group_id: an address with a password does not belong in the file; use the environment variable DRIFT_SOURCE__GROUP_ID"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "message"), _named(SECRETS))
def test_a_secret_in_the_file_is_refused_and_not_repeated(problems, settings, message):
    """The file may lie in a repository, and the message in a log."""
    found = problems(f"source: {{kind: kafka, bootstrap_servers: [a:1], topics: [t], {settings}}}\n{MODELS}")

    assert found[0].startswith(f"FILE:1: {message}")
    assert not re.search("hunter22|271828", "".join(found))


def test_names_of_data_are_no_secrets(tmp_path):
    """A feature may be called `reset_token`, and a version pattern is no password."""
    path = tmp_path / "a.yaml"
    features = "features: {reset_token: {ignore: true}}"
    fields = "event: {fields: {features: {password: /p}}}"
    path.write_text(f"{SOURCE}models: [{{name: m, baselines: b, {features}}}]\n{fields}", encoding="utf-8")

    assert "password: /p" in show(load_config(path, {}))


EVERYTHING = {
    "source": {
        "kind": "kafka",
        "bootstrap_servers": ["a:1"],
        "topics": ["t"],
        "security": {"protocol": "SSL"},
    },
    "event": {"fields": {"features": {"f": "/f"}}, "max_bytes": 5},
    "models": [
        {"name": "m", "baselines": "b", "slices": [{"column": "c"}], "features": {"f": {"ignore": True}}}
    ],
    "decision": {"statistics": {"unseen": {"threshold": 0.1}}},
    "windows": {"pane": "1m", "lengths": ["1h"]},
    "alerts": {"sinks": [{"kind": "log"}]},
    "metrics": {"statistics": ["unseen"]},
    "state": {"kind": "directory"},
}
JUNK = st.sampled_from(
    [None, True, 5, -1, 1e300, "", "x", "10m", "kafka", "${X}", "s://u:hunter22@h", "\u202e", [], {}, [[1]], [None],
     {"": {}}, {"kind": "kafka"}, {"kind": 5}, [{"kind": "log"}], {"0": "x"}, {"threshold": []}]
)  # fmt: skip
VARIABLE_TEXT = st.sampled_from(
    ["", "1", "x", "null", "[1]", "{a: 1}", "[", "a,b", "&a", "{kind: kafka}", "\x00"]
)


def _paths(node, path=()):
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from _paths(value, (*path, key))


PATHS = st.sampled_from(list(_paths(EVERYTHING)))


@settings(deadline=None)
@given(path=PATHS, junk=JUNK, variables=st.dictionaries(PATHS.map(variable_of), VARIABLE_TEXT, max_size=2))
def test_whatever_stands_anywhere_is_taken_or_explained(tmp_path_factory, path, junk, variables):
    """No value at any setting, in the file or the environment, ends in a traceback or shows a secret."""
    content = deepcopy(EVERYTHING)
    *outer, last = path
    reduce(getitem, outer, content)[last] = junk
    file = tmp_path_factory.getbasetemp() / "junk.yaml"
    file.write_text(json.dumps(content), encoding="utf-8")
    said = ""
    try:
        said = repr(show(load_config(file, variables)))
    except InvalidConfigError as error:
        said = "".join(error.problems)

    assert said.isprintable()
    assert "hunter22" not in said
