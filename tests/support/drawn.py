"""The pages of a view as text, without a server."""

from collections.abc import Iterator

from detector.view import View
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
