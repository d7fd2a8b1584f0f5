"""The two forms of this suite: a short one with every run of the tests, a long one by `make faults`."""

import os

IS_LONG = os.environ.get("DRIFT_TEST_FAULTS") == "long"

SEED = int(os.environ.get("DRIFT_TEST_FAULTS_SEED", "20261125"))
"""Where every choice of a run comes from; it is printed at the end."""


def either(short: int, long: int) -> int:
    """Return the number for the form that runs."""
    return long if IS_LONG else short
