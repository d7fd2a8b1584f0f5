"""Settings from environment variables: `DRIFT_SOURCE__BOOTSTRAP_SERVERS=a:9092,b:9092`.

A double underscore leads one level in, a number into a list. What stands for text is taken as it is;
a list is written with commas or as [a, b]; anything else as in YAML.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from pydantic import SecretBytes, SecretStr

from detector.config.problems import Draft, InvalidConfigError, KeyPath, suggestion, variable_of
from detector.config.schema import Schema, fields_of, item_of, members, model_of, value_of
from detector.config.yaml_file import parse_yaml

PREFIX = "DRIFT_"

_NOT_SETTINGS = re.compile(r"DRIFT_(?:TEST_.*|CRASH_AT)")
# Kubernetes tells every container about the services beside it: a service called `drift` or
# `drift-detector` makes DRIFT_SERVICE_HOST, DRIFT_DETECTOR_PORT=tcp://... and so on. DRIFT_HTTP_PORT=80,
# which is no address, is DRIFT_HTTP__PORT misspelt.
_KUBERNETES = re.compile(
    r"DRIFT_(?:\w+_)?(?:(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)=.*|PORT=\w+://.*)",
    re.DOTALL,
)

_NESTED = "__"


def override(draft: Draft, environ: Mapping[str, str], schema: Schema) -> list[str]:
    """Put what environment variables say into the draft, and return what is wrong with them."""
    problems: list[str] = []
    for variable in _settings_in(environ):
        try:
            path = _path(variable, draft, schema)
            value = _value(schema.at(path), environ[variable], variable)
        except InvalidConfigError as error:
            problems += error.problems
        else:
            draft.set(path, value, variable)
    return problems


def _settings_in(environ: Mapping[str, str]) -> list[str]:
    """Return the variables that are settings: outer ones before inner ones, `kind` before its settings."""
    found = [
        name
        for name, text in environ.items()
        if name.startswith(PREFIX)
        and not _NOT_SETTINGS.fullmatch(name)
        and (_NESTED in name or not _KUBERNETES.fullmatch(f"{name}={text}"))
    ]
    return sorted(found, key=lambda name: (name.count(_NESTED), not name.endswith("__KIND"), name))


def _path(variable: str, draft: Draft, schema: Schema) -> KeyPath:
    path: KeyPath = ()
    for segment in variable.removeprefix(PREFIX).split(_NESTED):
        annotation = schema.at(path)
        if annotation is Any:
            path = (*path, segment.lower())
        else:
            path = (*path, _key(segment, annotation, path, draft, variable))
    return path


def _key(segment: str, annotation: Any, path: KeyPath, draft: Draft, variable: str) -> str | int:
    """Return the key that a part of a variable's name means."""
    model = model_of(annotation)
    known = [] if model is None else list(fields_of(model))
    for key in known:
        if key.lower() == segment.lower():
            return key
    written = draft.get(path)
    if item_of(annotation) is not None and segment.isdecimal() and len(segment) < 4:
        n = len(written) if isinstance(written, list) else 0
        if int(segment) <= n:
            return int(segment)
        raise _unknown(variable, f"no entry {segment} in a list of {n}; count from 0, without gaps")
    if value_of(annotation) is not None and segment:
        there = written if isinstance(written, dict) else {}
        existing = [key for key in there if key.lower() == segment.lower()]
        # A new key is lower case like most, unless the variable says it in a case of its own.
        return existing[0] if existing else segment.lower() if segment.isupper() else segment
    at = f" below {variable_of(path)}" if path else ""
    raise _unknown(variable, f"unknown key {segment.lower()!r}{at}{suggestion(segment, known)}")


def _unknown(variable: str, message: str) -> InvalidConfigError:
    return InvalidConfigError([f"{variable}: names no setting: {message}"])


def _value(annotation: Any, text: str, variable: str) -> Any:
    alternatives = list(_leaves(annotation))
    item = item_of(annotation)
    is_nested = item is not None or model_of(annotation) is not None or value_of(annotation) is not None
    if is_nested and text.lstrip().startswith(("{", "[")):
        return parse_yaml(text, lambda _: variable)
    if item is not None:
        return [_value(item, part.strip(), variable) for part in text.split(",") if part.strip()]
    if any(a in (SecretStr, SecretBytes) for a in alternatives):
        return text
    if text in ("null", "~"):
        return None
    if any(a in (int, float, bool, Any) for a in alternatives) or all(map(_is_mapping, alternatives)):
        return parse_yaml(text, lambda _: variable)
    return text


def _leaves(annotation: Any) -> Iterator[Any]:
    yield from (Any,) if annotation is Any else members(annotation)


def _is_mapping(alternative: Any) -> bool:
    return get_origin(alternative) in (dict, Mapping) or model_of(alternative) is not None
