"""The pages of a view as text, without a server."""

from collections.abc import Iterator

from pydantic import BaseModel

from detector.view import View
from detector.web.api.alerts import alerts_answer
from detector.web.api.asking import OfAlerts, OfDistributions, OfFeatures, OfHistory, OfStatistics, Paged
from detector.web.api.distributions import distributions_answer
from detector.web.api.features import features_answer
from detector.web.api.history import history_answer
from detector.web.api.models import model_answer, models_answer
from detector.web.api.schema import schema_answer
from detector.web.api.source import source_answer
from detector.web.api.statistics import feature_answer
from detector.web.pages.feature import Wanted, feature_page
from detector.web.pages.overview import model_page, overview
from detector.web.pages.site import Page, draw, models_of
from detector.web.pages.tables import alerts_page, schema_index, schema_page, source_page
from detector.web.slugs import slug


def overview_text(view: View) -> str:
    """Return the first page."""
    return draw(overview(view), view).decode()


def every_page(view: View) -> str:
    """Return all pages there are, one behind the other."""
    return "".join(draw(page, view).decode() for page in _pages(view))


def every_answer(view: View) -> str:
    """Return all answers of the API there are."""
    return "".join(answer.model_dump_json() for answer in _answers(view))


def _answers(view: View) -> Iterator[BaseModel]:
    some = Paged(limit=200)
    yield from (
        models_answer(view, some),
        alerts_answer(view, OfAlerts(limit=200)),
        source_answer(view, some),
    )
    for model in models_of(view):
        place = slug(model.key.model), slug(model.key.version)
        yield model_answer(view, *place)
        yield features_answer(view, *place, OfFeatures(limit=200))
        yield schema_answer(view, *place, some)
        for name in map(slug, model.names):
            yield feature_answer(view, *place, name, OfStatistics())
            yield distributions_answer(view, *place, name, OfDistributions())
            if model.windows:
                yield history_answer(view, *place, name, OfHistory())


def _pages(view: View) -> Iterator[Page]:
    yield from (overview(view), alerts_page(view), schema_index(view), source_page(view))
    for model in models_of(view):
        place = slug(model.key.model), slug(model.key.version)
        yield model_page(view, *place, None, None)
        yield schema_page(view, *place)
        for name in model.names:
            yield feature_page(view, *place, slug(name), Wanted())
            if model.windows and model.names:
                yield feature_page(view, *place, slug(name), Wanted(scale="density"))
