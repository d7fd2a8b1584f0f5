"""The addresses of the pages, and of what they load."""

from collections.abc import Callable, Hashable
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from detector.view import View
from detector.web.pages.feature import Wanted, feature_page
from detector.web.pages.overview import model_page, overview
from detector.web.pages.site import NotThereError, Page, draw
from detector.web.pages.tables import alerts_page, schema_index, schema_page, source_page
from detector.web.rendered import Rendered

HTML = "text/html"

ASSETS = {
    "/assets/style.css": ("detector.drawing", "style.css", "text/css"),
    "/assets/page.js": ("detector.web", "assets/page.js", "text/javascript"),
    "/assets/idiomorph.js": ("detector.web", "assets/idiomorph.min.js", "text/javascript"),
    "/assets/icon.svg": ("detector.web", "assets/icon.svg", "image/svg+xml"),
}
"""Path -> package, file and type. Nothing is loaded from elsewhere."""

Draw = Callable[[View, Request], Page]

PAGES: dict[str, Draw] = {
    "/": lambda view, request: overview(view, _page(request)),
    "/alerts": lambda view, request: alerts_page(view, _page(request)),
    "/schema": lambda view, _: schema_index(view),
    "/source": lambda view, _: source_page(view),
    "/models/{model}/{version}": lambda view, request: model_page(
        view, *_model(request), _query(request, "window"), _query(request, "find"), _page(request)
    ),
    "/models/{model}/{version}/schema": lambda view, request: schema_page(
        view, *_model(request), _query(request, "find"), _page(request)
    ),
    "/models/{model}/{version}/features/{feature}": lambda view, request: feature_page(
        view, *_model(request), request.path_params["feature"], _wanted(request)
    ),
}

OF_COUNTERS = frozenset({"/", "/source"})
"""Pages that change with every event, not only when a window has been judged."""

MAX_PAGE = 100_000


def page_routes(view: Callable[[], View | None], rendered: Rendered) -> list[Route]:
    """Return the routes of all pages and of what they load; `view` returns the newest one."""
    routes = [Route(path, _asset(path, rendered), methods=["GET"]) for path in ASSETS]
    return routes + [Route(path, _handler(path, view, rendered), methods=["GET"]) for path in PAGES]


def _asset(path: str, rendered: Rendered) -> Callable[[Request], Response]:
    package, name, media_type = ASSETS[path]
    content = (files(package) / name).read_bytes()
    return lambda request: rendered.answer(request, path, lambda: content, media_type)


def _handler(
    path: str, newest: Callable[[], View | None], rendered: Rendered
) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        view = newest()
        if view is None:
            return Response("starting", 503, media_type="text/plain")
        try:
            return rendered.answer(
                request, _shows(path, view), lambda: draw(PAGES[path](view, request), view), HTML
            )
        except NotThereError as error:
            page = Page("message.html", "Not found", {"page": "", "message": f"There is {error}."})
            return Response(draw(page, view), 404, media_type=HTML)

    return answer


def _shows(path: str, view: View) -> Hashable:
    """Return what tells one picture of a page from the next."""
    if path in OF_COUNTERS:
        return view.revision, view.published_s
    return view.revision, view.source.connected, view.is_active, view.config


def _model(request: Request) -> tuple[str, str]:
    return request.path_params["model"], request.path_params["version"]


def _query(request: Request, name: str) -> str | None:
    return request.query_params.get(name) or None


def _page(request: Request) -> int:
    """Return the number of the page that is asked for.

    Raises:
        NotThereError: it is no number.
    """
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < int(text[:7]) <= MAX_PAGE):
        raise NotThereError("no such page")
    return int(text)


def _wanted(request: Request) -> Wanted:
    return Wanted(*(_query(request, name) for name in ("window", "slice", "scale", "statistic", "against")))
