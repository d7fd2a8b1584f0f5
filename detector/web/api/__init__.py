"""The JSON API under `/api/v1`: what the pages show, for programs.

    routes          which address answers what, and its OpenAPI document
    asking          what may stand in an address, and finding what it means
    answers         what all answers have in common
    status_answers, models, features, statistics, distributions, history, schema, alerts, source, config
                    one subject each: the shape of its answers, and how they are made from a view

Everything is made from one view, is of bounded size, and is text that prints; numbers that do not exist are
null.
"""

from detector.web.api.routes import Api, api_application

__all__ = ["Api", "api_application"]
