"""A DAG that retrains a model because its data have drifted; `trigger.py` starts its runs.

The three commands are yours. The new baseline is built from the data that the new model was trained
on: without that the detector would go on to hold events against the old ones. Airflow 3.
"""

from airflow.sdk import dag, task


@dag(
    dag_id="retrain",
    schedule=None,
    catchup=False,
    # Two drifts at once are one training: the second waits, and may find nothing left to do.
    max_active_runs=1,
    tags=["drift"],
)
def retrain():
    """Check, train, build the baseline, hand over."""

    @task
    def drift(dag_run=None) -> dict:
        """Return the message; stop where a fault in the data is suspected after all."""
        message = dag_run.conf
        if message["suggested_action"] != "retrain":
            raise ValueError(f"not for retraining: {message['suggested_action']}")
        return message

    @task.bash
    def train(message: dict) -> str:
        """Train on data that hold the new world: from the onset, or the window, to now."""
        since = message["onset"] or message["window_start"]
        return (
            f"train --model {message['model']} --since {since} --output /models/{message['idempotency_key']}"
        )

    @task.bash
    def baseline(message: dict) -> str:
        """Build what the new version is watched with."""
        version = message["idempotency_key"]
        return (
            f"drift-detector baseline build /models/{version}/train.parquet --model {message['model']} "
            f"--version {version} --timestamp timestamp --output /baselines/{message['model']}-{version}.json"
        )

    @task.bash
    def release(message: dict) -> str:
        """Whatever your release does: evaluation, approval, roll-out."""
        return f"release /models/{message['idempotency_key']}"

    message = drift()
    train(message) >> baseline(message) >> release(message)


retrain()
