"""Alerts topic -> Airflow: starts one run of a DAG for each drift that suggests retraining.

A small program beside the detector. It needs kafka-python and nothing else:

    python trigger.py kafka-1:9092 drift-alerts http://airflow:8080 retrain /run/secrets/airflow-token

The run's id is the message's idempotency key, and Airflow has no two runs of one id: a message that
comes again is answered with 409, and that is fine. A message counts as read once Airflow has answered,
so what arrives while Airflow is down starts its run later. Airflow 3 (`/api/v2`).
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

RETRY_S = 10.0


def is_wanted(message: Any) -> bool:
    """Whether a message asks for a training run."""
    return (
        isinstance(message, dict)
        and message.get("status") == "firing"
        and message.get("suggested_action") == "retrain"
    )


def start_run(airflow: str, dag: str, token: str, message: dict[str, Any]) -> bool:
    """Start a run with the message as its `conf`; return False if there is one already.

    Raises:
        OSError: Airflow did not take it; try again later.
    """
    body = {"dag_run_id": message["idempotency_key"], "logical_date": None, "conf": message}
    request = urllib.request.Request(  # noqa: S310
        f"{airflow.rstrip('/')}/api/v2/dags/{dag}/dagRuns",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        method="POST",
    )
    try:
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
        return False
    return True


def main(bootstrap: str, topic: str, airflow: str, dag: str, token_file: str) -> None:
    """Read for ever."""
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap.split(","),
        group_id=f"retrain-{dag}",
        auto_offset_reset="latest",
        enable_auto_commit=False,
        max_poll_records=1,
        # Airflow may be down for long; nobody else has to take over meanwhile.
        max_poll_interval_ms=86_400_000,
    )
    for record in consumer:
        try:
            message = json.loads(record.value or b"null")
        except ValueError:
            message = None
        while is_wanted(message):
            try:
                token = Path(token_file).read_text(encoding="utf-8").strip()
                started = start_run(airflow, dag, token, message)
            except OSError as error:
                print(f"not started, trying again: {type(error).__name__} {error}", flush=True)
                time.sleep(RETRY_S)
            else:
                print(f"{'started' if started else 'known'} {message['idempotency_key']}", flush=True)
                break
        consumer.commit()


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("usage: trigger.py BOOTSTRAP TOPIC AIRFLOW_URL DAG TOKEN_FILE")
    main(*sys.argv[1:])
