"""The configuration in force, without secrets and addresses."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from detector.printable import printable
from detector.view import View
from detector.web.api.status_answer import ConfigStatusAnswer
from detector.web.status import config_record

MAX_TEXT = 500


class ConfigAnswer(ConfigStatusAnswer):
    """Which configuration is in force, and its settings by section as in the file."""

    settings: Mapping[str, JsonValue]
    """Also those left to their defaults; what may be a secret is not among them."""


def config_answer(view: View, settings: Mapping[str, Any]) -> ConfigAnswer:
    """Return the configuration in force."""
    return ConfigAnswer(**config_record(view), settings={name: _told(of) for name, of in settings.items()})


def _told(value: Any) -> Any:
    """Return settings with texts that print."""
    if isinstance(value, dict):
        return {printable(name, MAX_TEXT): _told(of) for name, of in value.items()}
    if isinstance(value, list):
        return list(map(_told, value))
    return printable(value, MAX_TEXT) if isinstance(value, str) else value
