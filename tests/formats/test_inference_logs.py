"""Logs of model servers: how records are told apart, named, and counted for what they tell of."""

import base64
import json

import numpy as np
import pytest

from detector.batch import Feature, FeatureSet, ModelKey
from detector.drift.evaluation import State
from detector.drift.policy import DecisionPolicy
from detector.errors import ConfigError
from detector.formats import Catalog, EventOptions, EventShape, formats
from detector.formats.inference_log import InferenceSettings
from detector.pipeline import Pipeline
from detector.watched import Monitored
from tests.formats.writing import GOOD, KEY, SHAPE, START_S, WAYS, Written, attributes, binary, structured
from tests.support.factories import SPEC, baseline_of, training_rows

IRIS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
IRIS_SHAPE = EventShape(
    FeatureSet.of([Feature(n, "float") for n in IRIS] + [Feature("species", "float", "prediction")])
)
IRIS_KEY = ModelKey("sklearn-iris", "any")


def _decode(*written, format_="kserve", settings=None, shapes=None):
    decoder = formats.get(format_)(EventOptions(settings=settings), Catalog(shapes or {KEY: SHAPE}))
    return decoder.decode(WAYS["kserve v1"].records(written))


def _reason(*written, **options):
    ((_, reason),) = _decode(*written, **options).rejected
    return reason


def test_kserves_own_example():
    """The request and response of the inference logger's documentation."""
    of = {**attributes("request", START_S), "inferenceservicename": "sklearn-iris"}
    request = binary({"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]}, of)
    response = binary({"predictions": [1, 1]}, {**of, "type": "org.kubeflow.serving.inference.response"})
    found = _decode(
        request, response, settings=InferenceSettings(feature_names=IRIS), shapes={IRIS_KEY: IRIS_SHAPE}
    )
    asked, answered = found.batches

    assert (asked.key, asked.rows.tolist(), asked.columns.only) == (IRIS_KEY, [0, 0], "feature")
    assert asked.columns.numeric[:4].T.tolist() == [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]
    assert (answered.rows.tolist(), answered.columns.only) == ([1, 1], "prediction")
    assert answered.columns.numeric[4].tolist() == [1, 1]


@pytest.mark.parametrize(
    "data",
    [
        [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]],
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
    ],
)
def test_one_tensor_with_a_column_for_each_name(data):
    """Nested or flat: the protocol has both."""
    tensor = {"name": "input-0", "shape": [2, 4], "datatype": "FP64", "data": data}
    found = _decode(
        binary({"inputs": [tensor]}, attributes("request", START_S)),
        settings=InferenceSettings(feature_names={"credit": IRIS}),
        shapes={KEY: IRIS_SHAPE},
    )

    assert found.batches[0].columns.numeric[:4].T.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_a_lone_output_needs_no_name():
    """Servers call it output-0 or predict, whatever the training data called it."""
    output = {"name": "output-0", "shape": [2], "datatype": "FP64", "data": [0.1, 0.9]}
    found = _decode(binary({"model_name": "m", "outputs": [output]}, attributes("response", START_S)))

    assert found.batches[0].columns.numeric[2].tolist() == [0.1, 0.9]


def test_bare_lists_without_names_tell_nothing():
    """Their columns could be any; the order of the baseline is not taken for theirs."""
    request = binary({"instances": [[1.0, 2.0, 3.0, 4.0]]}, attributes("request", START_S))

    assert _reason(request) == "not_an_object"
    assert _reason(request, settings=InferenceSettings(feature_names=("only", "two"))) == "not_an_object"
    assert _reason(request, settings=InferenceSettings(feature_names={"other": IRIS})) == "not_an_object"
    assert _reason(request, settings=InferenceSettings(feature_names=("a", "a", "b", "c"))) == "not_an_object"


def test_a_structured_event_without_its_header():
    """Its attributes say what it is; data may be in base64."""
    event = structured({"instances": [{"amount": 1.0}]}, attributes("request", START_S))
    document = json.loads(event.value)
    encoded = {
        **document,
        "data_base64": base64.b64encode(json.dumps(document.pop("data")).encode()).decode(),
    }
    for value in (event.value, json.dumps(encoded).encode()):
        assert _decode(Written(value)).batches[0].columns.numeric[0].tolist() == [1.0]


def test_a_payload_without_any_attributes():
    """Shows by itself which side it is of, where only one model can be meant; its time is the record's."""
    found = _decode(Written(b'{"instances": [{"amount": 1}]}'), Written(b'{"predictions": [0.5]}'))

    assert [batch.columns.only for batch in found.batches] == ["feature", "prediction"]
    assert found.time_s.tolist() == [START_S, START_S]
    assert _reason(Written(b'{"data": {"ndarray": [[1]]}}'), format_="seldon") == "not_an_object"


def test_a_request_that_names_the_outputs_it_wants_is_a_request():
    """The protocol lets it: `outputs` without data."""
    data = {
        "inputs": [{"name": "amount", "shape": [1], "datatype": "FP64", "data": [1]}],
        "outputs": [{"name": "x"}],
    }

    assert _decode(Written(json.dumps(data).encode())).batches[0].columns.only == "feature"


def test_seldons_tensor_and_feedback():
    """Values row by row; feedback belongs to an earlier event."""
    of = attributes("request", START_S, "io.seldon.serving.inference")
    tensor = {"names": ["amount", "age"], "tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}
    found = _decode(
        binary({"data": tensor, "meta": {}}, of),
        binary({"reward": 1.0}, {**of, "type": "io.seldon.serving.feedback"}),
        format_="seldon",
    )

    assert found.batches[0].columns.numeric[:2].tolist() == [[1, 3], [2, 4]]
    assert (found.n_labels, found.rejected) == (1, {})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"type": "com.example.other"}, "not_an_object"),
        ({"time": "yesterday"}, "bad_timestamp"),
        ({"inferenceservicename": "unheard-of"}, "unknown_model"),
    ],
)
def test_attributes_that_are_not_as_they_should_be(changed, reason):
    """Each has its reason."""
    assert _reason(binary({"instances": [{}]}, {**attributes("request", START_S), **changed})) == reason


def test_the_version_is_an_attribute_where_the_settings_say_so():
    """Default and canary are two versions, each with a baseline of its own."""
    shapes = {ModelKey("credit", v): SHAPE for v in ("default", "canary")}
    of = attributes("request", START_S)
    found = _decode(
        *(binary({"instances": [{}]}, {**of, "endpoint": v}) for v in ("canary", "default", "canary")),
        settings=InferenceSettings(version="endpoint"),
        shapes=shapes,
    )

    assert {b.key.version: b.rows.tolist() for b in found.batches} == {"canary": [0, 2], "default": [1]}
    assert _reason(binary({"instances": [{}]}, of), shapes=shapes) == "unknown_model"


def test_a_record_has_at_most_ten_thousand_rows():
    """Empty rows take three bytes each: a megabyte of them would fill the memory."""
    of = attributes("request", START_S)

    assert _reason(binary({"instances": [{}] * 10_001}, of)) == "too_large"
    assert len(_decode(binary({"instances": [{}] * 10_000}, of)).batches[0].rows) == 10_000


def test_slices_are_features_or_attributes():
    """Responses know the attributes, not the features."""
    shape = EventShape(SHAPE.features, ("country", "endpoint"))
    found = _decode(*WAYS["kserve v1"].write([GOOD, GOOD], START_S), shapes={KEY: shape})

    assert [list(s) for s in found.batches[0].columns.slices] == [["DE"] * 2, ["default"] * 2]
    assert [list(s) for s in found.batches[1].columns.slices] == [[None] * 2, ["default"] * 2]


def test_new_columns_and_nulls_are_seen():
    """As in any other format."""
    found = _decode(binary({"instances": [{"amount": None, "new": 1}]}, attributes("request", START_S)))

    assert [(s.new, s.null) for s in found.batches[0].sightings] == [(("new",), ("amount",))]


def test_several_models_need_a_name():
    """An attribute that is not asked for cannot tell them apart."""
    with pytest.raises(ConfigError, match="no attribute names the model"):
        _decode(settings=InferenceSettings(model=None), shapes={KEY: SHAPE, ModelKey("other", "1"): SHAPE})


@pytest.fixture(scope="module")
def baseline():
    rng = np.random.default_rng(8)
    rows = [
        {**row, "score": s}
        for row, s in zip(training_rows(rng, 3000), rng.random(3000).tolist(), strict=True)
    ]
    return baseline_of(rows, prediction=("score",))


def _states(baseline, *written):
    pipeline = Pipeline(SPEC, {KEY: Monitored(baseline, DecisionPolicy(min_samples=100))})
    decoder = formats.get("kserve")(EventOptions(), Catalog({KEY: EventShape(baseline.features)}))
    list(pipeline.feed(decoder.decode(WAYS["kserve v1"].records(written)), START_S + 60))
    (outcome,) = pipeline.finish()
    (judged,) = outcome.judged
    return dict(zip(baseline.features.names, judged.state[0].tolist(), strict=True)), judged


def test_what_nothing_tells_of_is_not_missing(baseline):
    """Requests alone: predictions are insufficient, and neither missing nor an anomaly."""
    rows = [{**row, "score": 0.5} for row in training_rows(np.random.default_rng(1), 500)]
    request, response = WAYS["kserve v1"].write(rows, START_S)
    states, judged = _states(baseline, request)

    assert states.pop("score") == State.INSUFFICIENT
    assert set(states.values()) == {State.OK}
    assert judged.anomalies == ()
    assert np.isnan(judged.evaluation.statistics["missing"].value[0, baseline.features.names.index("score")])
    # And with the response there is something to judge.
    assert _states(baseline, request, response)[0]["score"] > State.OK


def test_responses_alone_are_no_events(baseline):
    """The request is what counts as the event: without requests there is nothing to judge."""
    states, judged = _states(baseline, binary({"predictions": [0.5] * 500}, attributes("response", START_S)))

    assert set(states.values()) == {State.INSUFFICIENT}
    assert judged.evaluation.n.tolist() == [0]
    assert judged.anomalies == ()


def test_a_baseline_of_predictions_alone_is_served_by_responses():
    """Where only responses are logged, the baseline holds what they tell of."""
    rng = np.random.default_rng(2)
    own = baseline_of([{"score": s} for s in rng.random(3000).tolist()], prediction=("score",))
    states, judged = _states(
        own, binary({"predictions": rng.random(500).tolist()}, attributes("response", START_S))
    )

    assert states == {"score": State.OK}
    assert judged.evaluation.n.tolist() == [500]
