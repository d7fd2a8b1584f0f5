"""Which address answers what. Nothing here is worked out: a view is asked, and its answer kept for others."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi import Query as Asked
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from detector import __version__
from detector.printable import printable
from detector.view import View
from detector.web.api.alerts import AlertPage, alerts_answer
from detector.web.api.answers import Error
from detector.web.api.asking import (
    FeatureInPath,
    ModelInPath,
    OfAlerts,
    OfDistributions,
    OfFeatures,
    OfHistory,
    OfStatistics,
    Paged,
    VersionInPath,
)
from detector.web.api.config import ConfigAnswer, config_answer
from detector.web.api.distributions import DistributionAnswer, distributions_answer
from detector.web.api.features import FeaturePage, features_answer
from detector.web.api.history import HistoryAnswer, history_answer
from detector.web.api.models import ModelDetail, ModelPage, model_answer, models_answer
from detector.web.api.schema import SchemaAnswer, schema_answer
from detector.web.api.source import SourceAnswer, source_answer
from detector.web.api.statistics import FeatureDetail, feature_answer
from detector.web.api.status_answer import NotReady, Status
from detector.web.pages.site import NotThereError
from detector.web.rendered import Rendered
from detector.web.status import status_bytes

PREFIX = "/api/v1"

JSON = "application/json"

MAX_SAID = 300
"""Characters that a refusal of a query has at most."""

DESCRIPTION = (
    "What the drift detector sees, read only. Fields stay; new ones may come. Answers have an `ETag`: asked "
    "again with `If-None-Match` they are 304 without a body for as long as nothing has changed. The `id` of "
    "a name stands for it in addresses. Where the service has a token or a user, they are asked for (401)."
)

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""Nothing is told to anybody who did not ask, whatever the environment says."""

_REASONS = {
    400: "the request has a body, or is malformed",
    401: "nobody said who asks, or nobody that is known",
    404: "there is nothing such, or not any more",
    405: "only GET",
    414: "the address is too long",
    422: "the query cannot be understood",
    431: "the headers are too large",
    503: "nothing has been read yet",
}

REFUSALS: dict[int | str, dict[str, Any]] = {
    304: {"description": "as it was when its ETag was handed out"},
    **{status: {"model": Error, "description": reason} for status, reason in _REASONS.items()},
}


class Api:
    """Answers from the newest view."""

    def __init__(
        self, newest: Callable[[], View | None], rendered: Rendered, settings: Callable[[], Mapping[str, Any]]
    ) -> None:
        """Take where views, kept answers and the settings in force come from."""
        self._newest, self._rendered, self._settings = newest, rendered, settings

    def status(self, request: Request) -> Response:
        """What stands how, as one object."""
        view = self._newest()
        if view is None:
            return JSONResponse({"ready": False}, 503)
        shows = view.revision, view.published_s, view.uptime_s
        return self._rendered.answer(request, shows, lambda: status_bytes(view), JSON, at_once=True)

    def models(self, request: Request, asked: Annotated[Paged, Asked()]) -> Response:
        """The model versions that are watched."""
        return self._answer(request, lambda view: models_answer(view, asked), _counted)

    def model(self, request: Request, model: ModelInPath, version: VersionInPath) -> Response:
        """One model version, its policy, windows and slices."""
        return self._answer(request, lambda view: model_answer(view, model, version), _counted)

    def features(
        self,
        request: Request,
        model: ModelInPath,
        version: VersionInPath,
        asked: Annotated[OfFeatures, Asked()],
    ) -> Response:
        """The features of a model version, the worst first."""
        return self._answer(request, lambda view: features_answer(view, model, version, asked))

    def feature(
        self,
        request: Request,
        model: ModelInPath,
        version: VersionInPath,
        feature: FeatureInPath,
        asked: Annotated[OfStatistics, Asked()],
    ) -> Response:
        """Every statistic of one feature, by window and slice."""
        return self._answer(request, lambda view: feature_answer(view, model, version, feature, asked))

    def distributions(
        self,
        request: Request,
        model: ModelInPath,
        version: VersionInPath,
        feature: FeatureInPath,
        asked: Annotated[OfDistributions, Asked()],
    ) -> Response:
        """How the values of one feature are distributed, in training and now."""
        return self._answer(request, lambda view: distributions_answer(view, model, version, feature, asked))

    def history(
        self,
        request: Request,
        model: ModelInPath,
        version: VersionInPath,
        feature: FeatureInPath,
        asked: Annotated[OfHistory, Asked()],
    ) -> Response:
        """How one feature went over the last day."""
        return self._answer(request, lambda view: history_answer(view, model, version, feature, asked))

    def schema(
        self, request: Request, model: ModelInPath, version: VersionInPath, asked: Annotated[Paged, Asked()]
    ) -> Response:
        """What is expected of a model version's events, and what is broken of it."""
        return self._answer(request, lambda view: schema_answer(view, model, version, asked))

    def alerts(self, request: Request, asked: Annotated[OfAlerts, Asked()]) -> Response:
        """Alerts that fire, and the last ones that are over, the newest first."""
        return self._answer(request, lambda view: alerts_answer(view, asked))

    def source(self, request: Request, asked: Annotated[Paged, Asked()]) -> Response:
        """Where events come from, how far they are read, and what became of them."""
        return self._answer(request, lambda view: source_answer(view, asked), _counted)

    def config(self, request: Request) -> Response:
        """The configuration in force, without secrets."""
        return self._answer(request, lambda view: config_answer(view, self._settings()))

    def _answer(
        self,
        request: Request,
        make: Callable[[View], BaseModel],
        shows: Callable[[View], Hashable] | None = None,
    ) -> Response:
        names = [name for name, _ in request.query_params.multi_items()]
        if len(set(names)) < len(names):
            # One of the two would be taken, and nobody knows which.
            return JSONResponse({"detail": "query: given twice"}, 422)
        view = self._newest()
        if view is None:
            return JSONResponse({"detail": _REASONS[503]}, 503)
        try:
            return self._rendered.answer(
                request, (shows or _judged)(view), lambda: make(view).model_dump_json().encode(), JSON
            )
        except NotThereError as error:
            return JSONResponse({"detail": str(error)}, 404)


def _judged(view: View) -> Hashable:
    """Return what changes when a window has been judged, or the configuration."""
    return view.revision, view.is_active, view.config


def _counted(view: View) -> Hashable:
    """Return what changes with every view, as counters do."""
    return view.revision, view.published_s, view.config


_OF_MODEL = f"{PREFIX}/models/{{model}}/{{version}}"
_OF_FEATURE = f"{_OF_MODEL}/features/{{feature}}"

_ANSWERS: Mapping[str, tuple[str, str, type[BaseModel]]] = {
    f"{PREFIX}/models": ("models", "models", ModelPage),
    _OF_MODEL: ("model", "models", ModelDetail),
    f"{_OF_MODEL}/features": ("features", "features", FeaturePage),
    _OF_FEATURE: ("feature", "features", FeatureDetail),
    f"{_OF_FEATURE}/distributions": ("distributions", "features", DistributionAnswer),
    f"{_OF_FEATURE}/history": ("history", "features", HistoryAnswer),
    f"{_OF_MODEL}/schema": ("schema", "models", SchemaAnswer),
    f"{PREFIX}/alerts": ("alerts", "alerts", AlertPage),
    f"{PREFIX}/source": ("source", "service", SourceAnswer),
    f"{PREFIX}/config": ("config", "service", ConfigAnswer),
    f"{PREFIX}/status": ("status", "service", Status),
}
"""Path -> name of the method of `Api`, the group it is shown in, and what it answers."""


def api_application(api: Api, others: Sequence[Route]) -> FastAPI:
    """Return an application of the API's routes and of others, that its OpenAPI document leaves out."""
    app = FastAPI(
        title="Streaming drift detector",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
        routes=list(others),
        exception_handlers={RequestValidationError: _misunderstood},
        generate_unique_id_function=lambda route: route.name,
    )
    for path, (name, tag, answer) in _ANSWERS.items():
        refusals = REFUSALS
        if name == "status":
            refusals = {**REFUSALS, 503: {"model": NotReady, "description": _REASONS[503]}}
        app.add_api_route(path, getattr(api, name), response_model=answer, tags=[tag], responses=refusals)
    return app


async def _misunderstood(_: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a query, and repeat nothing of it but names that are known."""
    assert isinstance(error, RequestValidationError)
    said = []
    for problem in error.errors():
        is_unknown = problem["type"] == "extra_forbidden"
        where = "query" if is_unknown else ".".join(map(str, problem["loc"]))
        said.append(f"{where}: {'unknown parameter' if is_unknown else problem['msg']}")
    return JSONResponse({"detail": printable("; ".join(dict.fromkeys(said)), MAX_SAID)}, 422)
