"""What is suggested: retraining only where no fault of the data is in sight."""

from dataclasses import replace

import pytest

from detector.action import FAULTS, suggested_action
from detector.alerts import PREDICTION_ALERT
from detector.batch import ModelKey
from detector.drift.causes import WORDS
from tests.support.notices import dataset_alert, ended, feature_alert, schema_alert

WHOLE = dataset_alert()
FEATURE = feature_alert("age")
PREDICTION = feature_alert("score", alert=PREDICTION_ALERT)


def test_the_model_as_a_whole_without_a_cause_suggests_retraining():
    """The world has changed, as far as anybody can tell."""
    assert suggested_action(WHOLE, [WHOLE, FEATURE]) == "retrain"


def test_a_prediction_suggests_retraining_only_if_features_drift_beside_it():
    """Alone it is the model, or what is done to its input, that has changed."""
    assert suggested_action(PREDICTION, [PREDICTION]) == "investigate"
    assert suggested_action(PREDICTION, [PREDICTION, FEATURE]) == "retrain"


@pytest.mark.parametrize("t", [FEATURE, replace(WHOLE, slice="country=DE"), replace(WHOLE, kind="unseen")])
def test_one_feature_one_slice_or_new_values_are_for_people_to_look_at(t):
    """Too little to train on, or not clear enough."""
    assert suggested_action(t, [t, WHOLE]) == "investigate"


@pytest.mark.parametrize("cause", sorted(FAULTS))
@pytest.mark.parametrize("t", [WHOLE, PREDICTION, FEATURE])
def test_no_fault_of_the_data_ever_suggests_retraining(t, cause):
    """Be it the cause of the alert itself, or of another that fires beside it."""
    broken = replace(FEATURE, kind=cause)
    by_rate = replace(FEATURE, statistic=cause)

    assert suggested_action(replace(t, kind=cause), [WHOLE, FEATURE]) == "check_data_source"
    for other in (broken, by_rate, schema_alert()):
        assert suggested_action(t, [t, WHOLE, other]) != "retrain"
    assert suggested_action(WHOLE, [WHOLE, broken]) == "check_data_source"


def test_every_cause_that_is_named_is_judged():
    """A new cause is a fault, or is known to be none."""
    assert set(WORDS) == FAULTS | {"outside", "unseen"}


def test_a_fault_of_another_model_is_none_of_this_ones():
    """Each model version is looked at by itself."""
    other = replace(schema_alert(), key=ModelKey("other", "1"))

    assert suggested_action(WHOLE, [WHOLE, other]) == "retrain"


def test_the_end_of_an_alert_starts_nothing():
    """Only what fires asks for something."""
    assert suggested_action(ended(WHOLE), []) == "none"
