"""The examples of retraining: what can be checked of them without Airflow or a cluster."""

import importlib.util
import re
from pathlib import Path

import msgspec
import pytest
import yaml

from detector.sinks.message import AlertMessage, message_of
from tests.support.notices import dataset_alert, ended, notice
from tests.support.receiver import receiver

EXAMPLES = Path(__file__).parents[1] / "deploy" / "examples"


def _message(**more):
    return msgspec.to_builtins(message_of(notice(**more)))


@pytest.fixture
def trigger():
    spec = importlib.util.spec_from_file_location("trigger", EXAMPLES / "airflow" / "trigger.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_the_beginning_of_a_drift_that_suggests_retraining_starts_a_run(trigger):
    """Not its end, no fault of the data, no rubbish."""
    wanted = _message(t=dataset_alert(), action="retrain")
    others = [
        _message(t=ended(dataset_alert()), action="none"),
        _message(action="check_data_source"),
        None,
        [],
    ]

    assert trigger.is_wanted(wanted)
    assert not any(map(trigger.is_wanted, others))


def test_airflow_is_asked_for_a_run_named_by_the_key(trigger):
    """A second one of that name is none; other refusals are for another attempt."""
    message = _message(t=dataset_alert(), action="retrain")
    with receiver() as airflow:
        airflow.answers = [200, 409, 503]
        assert trigger.start_run(airflow.url, "retrain", "token", message)
        assert not trigger.start_run(airflow.url, "retrain", "token", message)
        with pytest.raises(OSError, match="503"):
            trigger.start_run(airflow.url, "retrain", "token", message)
        request = airflow.requests[0]

    assert request.path == "/api/v2/dags/retrain/dagRuns"
    assert request.headers["Authorization"] == "Bearer token"
    assert request.body == {
        "dag_run_id": message["idempotency_key"],
        "logical_date": None,
        "conf": message,
    }
    assert re.fullmatch("[A-Za-z0-9_.~:+-]+", request.body["dag_run_id"])  # what Airflow allows


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.name)
def test_python_examples_compile_and_read_only_fields_there_are(path):
    """`message["..."]` names fields of the message."""
    text = path.read_text(encoding="utf-8")
    compile(text, str(path), "exec")
    read = set(re.findall(r'message(?:\.get\(|\[)"(\w+)"', text)) | set(
        re.findall(r"message\['(\w+)'\]", text)
    )

    assert read <= set(AlertMessage.__struct_fields__)


def test_the_argo_example_reads_only_fields_there_are():
    """Three objects; the paths of filters and parameters lie in the message; the parameters fit."""
    text = (EXAMPLES / "argo" / "retrain.yaml").read_text(encoding="utf-8")
    source, sensor, template = yaml.safe_load_all(text)
    paths = re.findall(r"body\.(\w+)", text)
    workflow = sensor["spec"]["triggers"][0]["template"]["k8s"]["source"]["resource"]
    names = [p["name"] for p in template["spec"]["arguments"]["parameters"]]

    assert [o["kind"] for o in (source, sensor, template)] == ["EventSource", "Sensor", "WorkflowTemplate"]
    assert set(paths) <= set(AlertMessage.__struct_fields__)
    assert sensor["spec"]["dependencies"][0]["eventSourceName"] == source["metadata"]["name"]
    assert sensor["spec"]["dependencies"][0]["eventName"] in source["spec"]["kafka"]
    assert [p["name"] for p in workflow["spec"]["arguments"]["parameters"]] == names
    assert workflow["spec"]["workflowTemplateRef"]["name"] == template["metadata"]["name"]
