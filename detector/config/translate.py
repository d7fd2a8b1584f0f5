"""What pydantic found wrong, in the words of the configuration's user."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from detector.config.fields import PlacedError
from detector.config.problems import (
    HIDDEN,
    MAX_PROBLEMS,
    KeyPath,
    Problem,
    has,
    look_up,
    nearest,
    shown,
    suggestion,
)
from detector.config.schema import Schema

_EXPECTED = {
    "string_type": "text",
    "string_sub_type": "text",
    "path_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
}
_REMEDY = {
    "text": "put it in quotes",
    "a whole number": "write it in digits, without quotes or a unit",
    "a number": "write it like 0.1",
    "true or false": "write true or false, without quotes",
    "a list": "write it like [first, second]",
    "a mapping": "write `key: value` lines below it, or {key: value}",
}
_BOUND = {
    "greater_than": ("must be greater than {gt:g}", "write a larger number"),
    "greater_than_equal": ("must be at least {ge:g}", "write a larger number"),
    "less_than": ("must be less than {lt:g}", "write a smaller number"),
    "less_than_equal": ("must be at most {le:g}", "write a smaller number"),
    "string_too_short": ("must not be empty", "write a text"),
    "string_too_long": ("longer than {max_length} characters", "shorten it"),
    "string_pattern_mismatch": ("not of the form {pattern}", "correct it"),
    "too_short": ("needs at least {min_length}", "add one"),
    "too_long": ("more than {max_length}", "remove some"),
    "finite_number": ("must be a finite number", "write a smaller one"),
}


def problems_of(error: ValidationError, base: KeyPath, content: Any, schema: Schema) -> Iterator[Problem]:
    """Return each problem once, at its place in the configuration.

    `content` is the whole configuration as written; the error is of what lies at `base` in it.
    """
    found: dict[KeyPath, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False)[:MAX_PROBLEMS]:
        found.setdefault(_place(details, base, content), []).append(details)
    unknown = [path for path, here in found.items() if here[0]["type"] == "extra_forbidden"]
    meant = {(*path[:-1], nearest(path[-1], schema.keys(path[:-1]))) for path in unknown}
    for path, here in found.items():
        # A list is also said to be too short when its items are wrong, and of the alternatives of a
        # union the one that got furthest is the one meant: only the innermost problem counts.
        is_outer = any(len(other) > len(path) and other[: len(path)] == path for other in found)
        if is_outer or (here[0]["type"] == "missing" and path in meant):
            continue
        message = _unknown_key(path, schema) if path in unknown else _message(path, here, content, schema)
        yield Problem(path, message)


def _place(details: ErrorDetails, base: KeyPath, content: Any) -> KeyPath:
    """Return where in the configuration an error lies.

    Pydantic's own locations also name the alternatives of a union; those are not in the content.
    """
    node, path = look_up(content, base), base
    for i, key in enumerate(details["loc"], 1):
        if has(node, key):
            node = look_up(node, (key,))
            path = (*path, key)
        elif i == len(details["loc"]) and isinstance(node, dict) and details["type"] == "missing":
            path = (*path, key)
    placed = details.get("ctx", {}).get("error")
    return (*path, *placed.path) if isinstance(placed, PlacedError) else path


def _unknown_key(path: KeyPath, schema: Schema) -> str:
    return f"unknown key {shown(path[-1])}{suggestion(path[-1], schema.keys(path[:-1]))}"


def _message(path: KeyPath, details: list[ErrorDetails], content: Any, schema: Schema) -> str:
    if details[0]["type"] == "missing":
        return f"required, but not there; add `{path[-1]}:`"
    value = path[-1] if details[0]["loc"][-1:] == ("[key]",) else look_up(content, path)
    rules = [d for d in details if d["type"] not in _EXPECTED]
    if rules:
        return _rule(rules[0], value, schema.is_secret(path))
    expected = list(dict.fromkeys(_EXPECTED[d["type"]] for d in details))
    remedy = _REMEDY[expected[0]] if len(expected) == 1 else "write one of these"
    if expected == ["text"] and isinstance(value, dict | list | None):
        remedy = "write one text"
    return f"expected {' or '.join(expected)} {_found(value, schema.is_secret(path))}; {remedy}"


def _found(value: Any, is_secret: bool) -> str:
    return f"(found {HIDDEN if is_secret else shown(value)})"


def _rule(details: ErrorDetails, value: Any, is_secret: bool) -> str:
    """Return the message of a rule that a value of the right type breaks."""
    context = details.get("ctx", {})
    found = _found(value, is_secret)
    if details["type"] in _BOUND:
        said, remedy = _BOUND[details["type"]]
        return f"{said.format_map(context)} {found}; {remedy}"
    if details["type"] in ("literal_error", "enum"):
        choices = str(context["expected"]).replace("'", "")
        near = nearest(value, choices.replace(" or ", ", ").split(", "))
        return f"expected {choices} {found}; " + (f"did you mean {near!r}?" if near else "write one of these")
    error = context.get("error")
    text = str(error) if error is not None else details["msg"][:1].lower() + details["msg"][1:]
    if is_secret and value not in (None, ""):
        text = text.replace(str(value), HIDDEN)
    said, separator, remedy = text.partition("; ")
    # A default, a mapping or what the message names itself needs no showing.
    if isinstance(value, dict | list | None) or "(found " in text or shown(value) in said:
        return text
    return f"{said} {found}{separator}{remedy}"
