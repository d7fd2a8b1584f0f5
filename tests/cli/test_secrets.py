"""Secrets: planted in every setting that takes one, found nowhere that anybody looks."""

import json
import logging
import re
import traceback

import pytest

from detector.clock import ManualClock
from detector.config import load_config, show
from detector.config.named_files import problems_of, warnings_of
from detector.errors import DetectorError
from detector.kinds import open_part
from detector.logs import set_up
from detector.metrics import Metrics
from detector.sinks import sinks
from detector.sources import schema_registries, sources
from detector.web import WebServer

CANARY = "canary-7Gq"
ENVIRONMENT = {
    "DRIFT_SOURCE__SECURITY__PASSWORD": f"{CANARY}-source",
    "DRIFT_SCHEMA_REGISTRY__PASSWORD": f"{CANARY}-registry",
    "DRIFT_ALERTS__SINKS__0__AUTHORIZATION__PASSWORD": f"{CANARY}-manager",
    "DRIFT_ALERTS__SINKS__1__URL": f"https://h.invalid/{CANARY}-webhook",
    "DRIFT_ALERTS__SINKS__1__AUTHORIZATION__BEARER_TOKEN": f"{CANARY}-bearer",
    "DRIFT_ALERTS__SINKS__2__URL": f"https://h.invalid/{CANARY}-slack",
    "DRIFT_ALERTS__SINKS__3__SECURITY__PASSWORD": f"{CANARY}-sink",
    "DRIFT_ALERTS__SINKS__4__SECURITY__OAUTH__CLIENT_SECRET": f"{CANARY}-client",
    "DRIFT_HTTP__TOKEN": f"{CANARY}-token",
    "DRIFT_HTTP__BASIC__PASSWORD": f"{CANARY}-basic",
}
SASL = {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "username": "u"}
OAUTH = {
    "protocol": "SASL_PLAINTEXT",
    "mechanism": "OAUTHBEARER",
    "oauth": {"token_endpoint": "http://127.0.0.1:9/token", "client_id": "u"},
}
SECTIONS = {
    "source": {"kind": "kafka", "bootstrap_servers": ["127.0.0.1:9"], "topics": ["t"], "security": SASL},
    "models": [{"name": "m", "baselines": "b.json"}],
    "schema_registry": {"url": "http://127.0.0.1:9", "username": "u"},
    "alerts": {
        "sinks": [
            {"kind": "alertmanager", "urls": ["http://127.0.0.1:9"], "authorization": {"username": "u"}},
            {"kind": "webhook"},
            {"kind": "slack"},
            {"kind": "kafka", "bootstrap_servers": ["127.0.0.1:9"], "topic": "a", "security": SASL},
            {"kind": "kafka", "bootstrap_servers": ["127.0.0.1:9"], "topic": "b", "security": OAUTH},
        ]
    },
    "http": {"basic": {"username": "u"}},
}


def _written(tmp_path, sections=SECTIONS):
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps(sections, indent=1))  # which is YAML, too
    return path


@pytest.fixture
def logs_as_they_were():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_every_secret_setting_is_in_this_test():
    """A setting that takes a secret and is new is to be planted, too."""
    from tests.config.test_shipped_files import NEVER_IN_A_FILE

    assert len(ENVIRONMENT) == len(NEVER_IN_A_FILE) + 1, "the security of source and sink is one section"


def test_a_secret_is_nowhere_to_be_found(tmp_path, capsys, logs_as_they_were):
    """Not in texts of settings or parts, in what is shown, or in logs at DEBUG with the client's own."""
    config = load_config(_written(tmp_path), ENVIRONMENT)
    set_up("debug", "text")
    parts = [open_part(sinks, settings, ManualClock()) for settings in config.alerts.sinks]
    parts += [open_part(sources, config.source, ManualClock())]
    registry = open_part(schema_registries, config.schema_registry, ManualClock())
    server = WebServer("127.0.0.1", 0, Metrics(), lambda: 0.0, config.http.protection())
    seen = [repr(config), str(config), show(config), repr(config.http.protection()), repr(server)]
    seen += [repr(part) for part in (*parts, registry)]
    seen += [config.model_dump_json(), json.dumps(config.model_dump(), default=str)]
    for name in ("kafka", "kafka.protocol.parser", "kafka.net.connection", "kafka.conn", "kafka.sasl"):
        logging.getLogger(name).debug("auth_bytes=%s", CANARY)
        logging.getLogger(name).info("auth_bytes=%s", CANARY)
    for part in parts:
        part.close()
    printed = capsys.readouterr()

    assert CANARY not in "".join([*seen, printed.out, printed.err])
    assert "<set>" in show(config)


@pytest.mark.parametrize("variable", ENVIRONMENT)
def test_no_error_repeats_a_secret(tmp_path, variable):
    """Whatever else is wrong beside it, and where it is wrong itself."""
    for bad in (ENVIRONMENT | {"DRIFT_HTTP__PORT": "x"}, ENVIRONMENT | {variable: f"{CANARY}\n\x00"}):
        try:
            config = load_config(_written(tmp_path), bad)
            for settings in config.alerts.sinks:
                open_part(sinks, settings, ManualClock()).close()
            WebServer("127.0.0.1", 0, Metrics(), lambda: 0.0, config.http.protection())
        except DetectorError:
            assert CANARY not in traceback.format_exc()


def _with_files(tmp_path):
    """A configuration that names files, of which nothing is there yet."""
    http = {"token_file": "token", "tls": {"certificate_file": "crt", "key_file": "key"}}
    security = {**SASL, "password_file": "kafka-password"}
    source = {**SECTIONS["source"], "security": security}
    return _written(tmp_path, {"source": source, "models": SECTIONS["models"], "http": http})


def test_each_file_that_cannot_be_read_is_named_with_its_line(tmp_path, drift_detector):
    """`check-config` opens them all: what is missing, empty, or no file."""
    path = _with_files(tmp_path)
    (tmp_path / "token").write_text("")
    (tmp_path / "crt").mkdir()
    ran = drift_detector("check-config", path)
    lines = path.read_text().splitlines()

    assert ran.code == 2
    for setting, name, problem in (
        ("http.token_file", "token", "is empty"),
        ("http.tls.certificate_file", "crt", "is no file"),
        ("http.tls.key_file", "key", "does not exist"),
        ("source.security.password_file", "kafka-password", "does not exist"),
    ):
        [line] = [n for n, text in enumerate(lines, 1) if re.search(rf'_file": "{name}",?$', text)]
        assert f"{path}:{line}: {setting}: {tmp_path / name}: {problem}" in ran.err


def test_a_secret_that_everybody_may_read_is_warned_of(tmp_path):
    """Not a certificate, which is for everybody."""
    path = _with_files(tmp_path)
    for name in ("token", "crt", "key", "kafka-password"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    (tmp_path / "key").chmod(0o640)
    config = load_config(path, {})
    warned = " ".join(warnings_of(config.files))

    assert problems_of(config.files) == []
    assert ("http.token_file" in warned, "kafka-password" in warned) == (True, True)
    assert ("key_file" in warned, "certificate_file" in warned) == (False, False)
