"""The JSON API: it says what the judge found, in parts, and only of what there is."""

import http.client
import json
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.batch import ModelKey
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.metrics import Metrics
from detector.web import WebServer
from detector.web.slugs import slug
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows
from tests.support.views import CHANGE_S, HOSTILE, TWO_WINDOWS, drifted_view, feed, hostile_view, view_over

MODEL = f"/api/v1/models/{KEY.model}/{KEY.version}"


class Client:
    """Asks the API of one server."""

    def __init__(self, port, metrics):
        self.port, self.metrics = port, metrics

    def ask(self, path, **headers):
        """Return status, headers and the object that is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status != 200 or answer.getheader("content-type") == "application/json"
        return answer.status, dict(answer.getheaders()), json.loads(body) if body else None

    def get(self, path):
        """Return the object that is answered."""
        status, _, body = self.ask(path)
        assert status == 200, body
        return body


@contextmanager
def serving(view, **more):
    metrics = Metrics()
    if view is not None:
        metrics.publish(view)
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0, **more)
    yield Client(server.start(), metrics)
    server.stop()


@pytest.fixture(scope="module")
def view():
    return drifted_view()


@pytest.fixture(scope="module")
def api(view):
    with serving(view, settings=lambda: {"windows": {"pane": "1m"}}) as client:
        yield client


def test_models_are_told_with_their_windows(api):
    page = api.get("/api/v1/models")
    (model,) = page["items"]

    assert (page["total"], page["offset"], page["limit"]) == (1, 0, 50)
    assert (model["id"], model["state"], model["events_accepted"]) == ("credit/1", "warning", 12_000)
    assert [w["window"] for w in model["windows"]] == ["5m", "30m"]
    assert model["windows"][0]["n"] == 750
    counts = {"insufficient": 0, "ok": 3, "warning": 0, "drift": 1, "not_judged": 0}
    assert model["windows"][0]["features"] == counts


def test_a_feature_that_nobody_judges_is_not_counted_as_ok():
    """The counts are those of the pages; status keeps its own, of states alone."""
    policy = DecisionPolicy(min_samples=100, features={"age": FeaturePolicy(ignore=True)})
    rng = np.random.default_rng(6)
    rig = Rig(baseline_of(training_rows(rng, 2000)), TWO_WINDOWS, policy)
    feed(rig, rng, 10)
    with serving(view_over(rig)) as api:
        window, features = api.get(MODEL)["windows"][0], api.get(f"{MODEL}/features")["items"]
        of_status = api.get("/api/v1/status")["models"][0]["windows"][0]["features"]

    assert window["features"] == {"insufficient": 0, "ok": 3, "warning": 0, "drift": 0, "not_judged": 1}
    assert [f["id"] for f in features if not f["judged"]] == ["age"]
    assert of_status == {"insufficient": 0, "ok": 4, "warning": 0, "drift": 0}


def test_a_model_is_told_with_its_policy_and_slices(api):
    model = api.get(MODEL)

    assert model["policy"]["min_samples"] == 100
    assert model["policy"]["false_alarms_per_30_days"] == DecisionPolicy().false_alarms_per_30_days
    assert {s["id"]: s["state"] for s in model["slices"]}.keys() == {"all", "country=DE", "country=FR"}
    assert model["baseline"]["rows"] == 3000


def test_the_worst_feature_comes_first_and_any_part_can_be_asked_for(api):
    features = api.get(f"{MODEL}/features")["items"]
    some = api.get(f"{MODEL}/features?offset=1&limit=2")
    by_name = api.get(f"{MODEL}/features?sort=name")["items"]

    assert (features[0]["id"], features[0]["state"]) == ("amount", "drift")
    assert features[0]["value"] > features[0]["threshold"] > 0
    assert features[0]["excess"] == pytest.approx(features[0]["value"] / features[0]["threshold"])
    assert [f["id"] for f in some["items"]] == [f["id"] for f in features[1:3]]
    assert some["total"] == 4
    assert [f["id"] for f in by_name] == ["age", "amount", "country", "member"]
    assert [f["id"] for f in api.get(f"{MODEL}/features?state=drift")["items"]] == ["amount"]


def test_statistics_are_those_of_the_evaluation(api, view):
    """Every one that has a value, in every window and slice, to the last digit."""
    answer = api.get(f"{MODEL}/features/amount")
    f = view.judges[KEY].baseline.features.names.index("amount")
    latest = {j.evaluation.window.length_s: j for j in view.judged.values()}
    n = 0
    for window in answer["windows"]:
        evaluation = latest[window["window_s"]].evaluation
        for told in window["slices"]:
            row = list(evaluation.slices).index(told["name"])
            for name, statistic in told["statistics"].items():
                assert statistic["value"] == float(evaluation.statistics[name].value[row, f])
                n += 1

    assert n > 20


def test_distributions_are_shares_of_training_and_of_each_window(api):
    answer = api.get(f"{MODEL}/features/amount/distributions")
    five, thirty = answer["windows"]
    for sides in (five["training"], thirty["training"]):
        assert sum(b["reference"] for b in sides["bins"]) == pytest.approx(1.0)
        assert sum(b["current"] for b in sides["bins"]) == pytest.approx(1.0)
    median = next(q for q in five["training"]["quantiles"] if q["share"] == 0.5)

    assert (five["training"]["n_reference"], five["training"]["n_current"]) == (3000, 750)
    assert median["current"] == pytest.approx(4 * median["reference"], rel=0.3)
    assert five["same_hours"] is None, "three thousand rows without times know no hours"
    assert api.get(f"{MODEL}/features/amount/distributions?window=30m")["windows"] == [thirty]


def test_history_shows_when_the_change_began(api):
    points = api.get(f"{MODEL}/features/amount/history?window=5m")["points"]
    before = [p for p in points if p["time"] <= "2026-09-21T15:00:00Z"]
    last = points[-1]

    assert CHANGE_S == START_S + 3600
    assert {p["state"] for p in before} <= {"ok", "insufficient"}
    assert (last["state"], last["excess"] > 1) == ("drift", True)
    assert any(s["value"] > s["threshold"] for s in last["statistics"].values() if s["threshold"])


def test_alerts_tell_what_status_tells_and_more(api):
    page = api.get("/api/v1/alerts?status=firing")
    status = api.get("/api/v1/status")
    amount = next(a for a in page["items"] if a["feature"] == "amount" and a["slice"] == "all")
    told = next(a for a in status["alerts"] if a["feature"] == "amount" and a["slice"] == "all")

    assert page["total"] == status["alerts_total"] > 0
    assert told == {name: amount[name] for name in told}
    assert (amount["feature_id"], amount["ends_at"], amount["model_id"]) == ("amount", None, "credit/1")
    assert amount["onset"] <= amount["starts_at"]
    assert len({a["id"] for a in page["items"]}) == page["total"]
    assert api.get("/api/v1/alerts?status=resolved")["total"] == 0


def test_alerts_of_one_model_can_be_asked_for(view):
    """Also of one that is no longer watched, for alerts outlive models; of others there are none."""
    other = replace(view.firing[0], key=ModelKey("old model", "7"), status="resolved", ends_at_s=START_S)
    with serving(replace(view, past=(other,))) as api:
        everything = api.get("/api/v1/alerts")
        n = everything["total"]
        old = api.get(f"/api/v1/alerts?model={slug('old model')}")

        assert n == len(view.firing) + 1 > 2
        assert [a["version"] for a in old["items"]] == ["7"]
        assert api.get(f"/api/v1/alerts?model={slug('old model')}&version=7") == old
        assert api.get(f"/api/v1/alerts?model={KEY.model}&version={KEY.version}")["total"] == n - 1
        assert api.get(f"/api/v1/alerts?model={KEY.model}&status=resolved")["items"] == []
        assert api.get(f"/api/v1/alerts?model={KEY.model}&version=7")["total"] == 0
        assert api.get("/api/v1/alerts?model=none")["total"] == 0


def test_what_came_to_nothing_is_told_in_one_form(view):
    """Rejected, lost, and what could not be fetched, of which no topic is known."""
    counters = view.counters.copy()
    counters.rejected["events", "late"] += 3
    source = replace(view.source, skipped={"poison": 10, "out_of_range": 2})
    with serving(replace(view, counters=counters, source=source)) as api:
        told = api.get("/api/v1/source")

        assert told["rejected"] == [{"topic": "events", "reason": "late", "n": 3}]
        assert told["skipped"] == [
            {"topic": None, "reason": "out_of_range", "n": 2},
            {"topic": None, "reason": "poison", "n": 10},
        ]
        assert api.get("/api/v1/status")["source"]["skipped"] == {"poison": 10, "out_of_range": 2}


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v1/", "/api/v2/models", "/api/v1/models/"])
def test_who_is_lost_is_told_what_there_is(api, path):
    status, _, body = api.ask(path)

    assert status == 404
    assert body == {"detail": "no such path; /api/v1/openapi.json lists what there is"}


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        (f"{MODEL}/features?sort=change&sort=name", "query: given twice"),
        (f"{MODEL}/features?sort=name&sort=name", "query: given twice"),
        (f"{MODEL}/features?sort=name&limit=5&%73ort=change", "query: given twice"),
        ("/api/v1/alerts?offset=1&offset=2", "query: given twice"),
        (f"{MODEL}?x=&x=", "query: given twice"),
    ],
)
def test_a_query_that_has_two_meanings_is_refused(api, path, detail):
    """Neither is taken."""
    status, _, body = api.ask(path)

    assert (status, body) == (422, {"detail": detail})


def test_the_schema_is_told_without_its_categories(api):
    answer = api.get(f"{MODEL}/schema")
    country = next(e for e in answer["items"] if e["id"] == "country")

    assert (country["domain"]["kind"], country["domain"]["n_values"]) == ("values", 3)
    assert "DE" not in json.dumps(answer)


def test_the_source_and_the_settings_in_force_are_told(api, view):
    source, config = api.get("/api/v1/source"), api.get("/api/v1/config")

    assert (source["connected"], source["accepted"]) == (True, 12_000)
    assert config["settings"] == {"windows": {"pane": "1m"}}
    assert config["sha256"] == view.config.sha256


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/models/credit/9", 404),
        (f"{MODEL}/features/none", 404),
        (f"{MODEL}/features/none/history", 404),
        (f"{MODEL}/features/amount/distributions?window=7h", 404),
        (f"{MODEL}/features/amount/distributions?slice=country=XX", 404),
        (f"{MODEL}/features/a%20b", 404),
        ("/api/v1/", 404),
        ("/api/v2/models", 404),
        (f"{MODEL}/features?limit=0", 422),
        (f"{MODEL}/features?limit=201", 422),
        (f"{MODEL}/features?offset=-1", 422),
        (f"{MODEL}/features?window=soon", 422),
        (f"{MODEL}/features?state=bad", 422),
        (f"{MODEL}/features?fields=all", 422),
        ("/api/v1/alerts?model=b%20ad", 422),
        (f"{MODEL}/features/amount/history?window=" + "1" * 400, 422),
        ("/api/v1/alerts?status=" + "firing" * 1000, 422),
        ("/api/v1/" + "a" * 3000, 414),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(api, path, status):
    """As JSON of one form; nothing that was sent is repeated but the names of parameters that exist."""
    found, _, body = api.ask(path)

    assert found == status
    assert list(body) == ["detail"]
    assert len(body["detail"]) <= 300
    assert not any(sent in body["detail"] for sent in ("soon", "XX", "bad", "fields", "firingfiring", "1111"))


def test_what_has_not_changed_is_not_sent_again(api):
    """An ETag of each address; compressed where that is taken."""
    path = f"{MODEL}/features/amount"
    _, headers, body = api.ask(path)
    status, _, nothing = api.ask(path, **{"If-None-Match": headers["etag"]})
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    compressed = connection.getresponse()

    assert (status, nothing) == (304, None)
    assert compressed.getheader("content-encoding") == "gzip"
    assert len(compressed.read()) < len(json.dumps(body)) / 2
    connection.close()


def test_a_model_that_has_gone_is_not_there_any_more():
    with serving(drifted_view()) as api:
        assert api.get(MODEL)["id"] == "credit/1"
        view = api.metrics.view
        gone = replace(view, baselines={}, judges={}, judged={}, history={}, firing=(), revision=99)
        api.metrics.publish(gone)
        deadline_s = time.monotonic() + 30
        while api.ask(MODEL)[0] != 404 and time.monotonic() < deadline_s:
            time.sleep(0.2)  # an answer is kept for a moment
        assert api.ask(MODEL)[0] == 404
        assert api.get("/api/v1/models")["total"] == 0


def test_before_anything_was_read_it_says_so():
    with serving(None) as api:
        for path in ("/api/v1/models", MODEL, "/api/v1/alerts", "/api/v1/source", "/api/v1/config"):
            assert api.ask(path)[0] == 503
        assert api.get("/api/v1/openapi.json")["openapi"].startswith("3.1")
    rig = Rig(baseline_of(training_rows(np.random.default_rng(3), 500)), TWO_WINDOWS)
    with serving(view_over(rig)) as api:
        assert api.get(MODEL)["windows"] == []
        assert {f["state"] for f in api.get(f"{MODEL}/features")["items"]} == {"insufficient"}
        assert api.get(f"{MODEL}/features/amount/distributions")["windows"] == []
        assert api.get(f"{MODEL}/features/amount")["windows"] == []


def test_hostile_names_are_text_with_an_address_each():
    """Names are told as text that prints, of bounded length; the `id` of each leads to it."""
    with serving(hostile_view()) as api:
        features = api.get(f"{MODEL}/features?limit=200")["items"]
        for name in HOSTILE:
            assert api.get(f"{MODEL}/features/{slug(name)}")["id"] == slug(name)
            api.get(f"{MODEL}/features/{slug(name)}/distributions")
            api.get(f"{MODEL}/features/{slug(name)}/history")
        categories = api.get(f"{MODEL}/features/c/distributions")
    said = json.dumps([features, categories], ensure_ascii=False)

    assert {slug(name) for name in HOSTILE} <= {f["id"] for f in features}
    assert "\\u001b" not in said
    assert "\u202e" not in said
    assert "x" * 1000 not in said
    assert "<b>new</b>" not in said, "training never had it"


def test_of_a_sensitive_feature_no_value_is_told():
    """Its statistics and states are; and no bin, quantile or domain."""
    rng = np.random.default_rng(5)
    policy = DecisionPolicy(min_samples=100, features={"amount": FeaturePolicy(sensitive=True)})
    rig = Rig(baseline_of(training_rows(rng, 2000)), TWO_WINDOWS, policy)
    feed(rig, rng, 10, lambda row: {**row, "amount": row["amount"] * 9})
    with serving(view_over(rig)) as api:
        assert api.get(f"{MODEL}/features/amount/distributions")["windows"] == []
        assert api.get(f"{MODEL}/features/amount")["windows"][0]["slices"][0]["statistics"]
        schema = api.get(f"{MODEL}/schema")["items"]
        assert next(e for e in schema if e["id"] == "amount")["domain"] is None
        alerts = api.get("/api/v1/alerts")["items"]
        assert all(a["contributors"] == [] for a in alerts if a["feature"] == "amount")


def test_ten_thousand_features_are_a_page_at_a_time():
    n = 10_000
    rows = [{f"f{i}": float((i + j) % 3) for i in range(n)} for j in range(4)]
    rig = Rig(baseline_of(rows), WindowSpec(60, (300.0,), 0), DecisionPolicy(min_samples=4))
    rig.feed([event(row, START_S + j) for j, row in enumerate(rows)])
    rig.finish()
    with serving(view_over(rig)) as api:
        seen = set()
        for offset in (0, 200, 9_800):
            page = api.get(f"{MODEL}/features?limit=200&offset={offset}&sort=name")
            assert page["total"] == n
            seen |= {f["id"] for f in page["items"]}
        assert len(seen) == 600
        assert api.get(f"{MODEL}/features?offset=10000")["items"] == []


def test_the_pages_that_stand_beside_it_are_no_part_of_its_document(api):
    document = api.get("/api/v1/openapi.json")

    assert all(path.startswith("/api/v1/") for path in document["paths"])
    assert all(set(methods) == {"get"} for methods in document["paths"].values())
    described = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for path in document["paths"]:
        assert f"`{path}`" in described, f"docs/api.md does not name {path}"
