"""From a file and the environment to a checked configuration, or to all that is wrong with it."""

import os
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from detector.config.environment import override
from detector.config.families import Families, Family
from detector.config.models import Config
from detector.config.named_files import NamedFile, warnings_of
from detector.config.problems import (
    HIDDEN,
    Draft,
    InvalidConfigError,
    KeyPath,
    Problem,
    carries_secret,
    placed,
    variable_of,
)
from detector.config.schema import Schema, holds_secrets
from detector.config.sections import DirectoryState, ReplaySource, TopicState
from detector.config.translate import problems_of
from detector.config.yaml_file import read_yaml
from detector.registry import Registry

_SUBSTITUTION = re.compile(r"\$\{\w+\}")

_MIN_SECRET_LENGTH = 4
"""A shorter one would blot out parts of ordinary words."""


def load_config(
    path: str | Path,
    environ: Mapping[str, str] = os.environ,
    *,
    allow_replay: bool = False,
    families: Families | None = None,
) -> Config:
    """Read, complete and check a configuration.

    With `allow_replay` the source may be of kind `replay`, or be absent: events come from files.
    `families` are the kinds of sources and sinks there are; by default those installed.

    Raises:
        InvalidConfigError: the file or the environment is wrong; it holds every problem.
    """
    document = read_yaml(path)
    families = families or installed_families()
    draft = Draft(document.name, deepcopy(document.content), dict(document.lines))
    schema = Schema(Config, families, draft)
    in_file = list(_not_for_files(draft, schema))
    found = placed(in_file, draft)
    found += [(0, problem) for problem in override(draft, environ, schema)]
    _look_beside(draft, Path(path).parent)
    config, problems = _check(draft, families, schema, allow_replay)
    found += placed([p for p in problems if p.path not in {q.path for q in in_file}], draft)
    if config is None or found:
        lines = [line for _, line in sorted(found, key=lambda one: one[0])]
        raise InvalidConfigError(_scrubbed(lines, draft, schema), document.name)
    files = tuple(_files(draft))
    config.came_from(Path(path), document.sha256, tuple(warnings_of(files)), files)
    return config


def installed_families() -> Families:
    """Return every kind of source, sink and so on that is installed."""
    # Late, because they bring with them all that they read from and write to.
    from detector.sinks import sinks
    from detector.sources import schema_registries, sources

    return Families(
        sources=Family(sources, extra=(("replay", ReplaySource),)),
        sinks=Family(sinks),
        states=Family(
            Registry("state kind"),
            extra=(("directory", DirectoryState), ("kafka", TopicState)),
            default="directory",
        ),
        registries=Family(schema_registries, default="confluent"),
    )


def _check(
    draft: Draft, families: Families, schema: Schema, allow_replay: bool
) -> tuple[Config | None, list[Problem]]:
    # A section whose settings are all commented out is one that is not there.
    content = {key: deepcopy(value) for key, value in draft.content.items() if value is not None}
    if allow_replay:
        content.setdefault("source", {"kind": "replay"})
    problems: list[Problem] = []
    for path in _places_of_kinds(content):
        problems += _put_settings(content, path, families, draft, schema)
    source = content.get("source")
    if isinstance(source, ReplaySource) and not problems and not allow_replay:
        message = "'replay' is for the `replay` command only; name a source of events, such as kafka"
        problems.append(Problem(("source", "kind"), message))
    try:
        return Config.model_validate(content), problems
    except ValidationError as error:
        return None, [*problems, *problems_of(error, (), draft.content, schema)]


def _places_of_kinds(content: dict[str, Any]) -> list[KeyPath]:
    """Return the paths of the sections that have a kind."""
    places: list[KeyPath] = [(name,) for name in ("source", "schema_registry", "state") if name in content]
    alerts = content.get("alerts")
    sinks = alerts.get("sinks") if isinstance(alerts, dict) else None
    if isinstance(sinks, list):
        places += [("alerts", "sinks", i) for i in range(len(sinks))]
    return places


def _put_settings(
    content: dict[str, Any], path: KeyPath, families: Families, draft: Draft, schema: Schema
) -> list[Problem]:
    """Put the checked settings of a section in its place, and return what is wrong with them."""
    family = families.at(path)
    assert family is not None, path
    *outer, last = path
    node: Any = content
    for key in outer:
        node = node[key]
    problem = family.check_kind(node[last], path)
    settings = None if problem is not None else family.validate(node[last])
    # What is wrong is reported once: something that is right stands in for it.
    node[last] = ReplaySource() if settings is None or isinstance(settings, ValidationError) else settings
    if node[last] is not settings and path == ("state",):
        node[last] = None
    if isinstance(settings, ValidationError):
        return list(problems_of(settings, path, draft.content, schema))
    return [] if problem is None else [problem]


def _not_for_files(draft: Draft, schema: Schema) -> Iterator[Problem]:
    """Return what stands in the file but must not: secrets, and variables that nobody puts in."""
    for path, value in _leaves(draft.content, ()):
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            continue
        by_variable = f"the environment variable {variable_of(path)}"
        if schema.is_secret(path):
            yield Problem(path, f"a secret does not belong in the file; use {path[-1]}_file or {by_variable}")
        elif isinstance(value, str) and holds_secrets(path) and carries_secret(value):
            yield Problem(path, f"an address with a password does not belong in the file; use {by_variable}")
        elif isinstance(value, str) and _SUBSTITUTION.search(value):
            yield Problem(path, f"variables are not put into the file (found {value!r}); use {by_variable}")


def _leaves(node: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _leaves(value, (*path, i))
    else:
        yield path, node


def _look_beside(draft: Draft, directory: Path) -> None:
    """Let the files of sources and sinks (`url_file`, `ca_file`, ...) lie beside the configuration."""
    for path, value in list(_leaves(draft.content, ())):
        if isinstance(value, str) and value and holds_secrets(path) and str(path[-1]).endswith("_file"):
            node: Any = draft.content
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = str(directory / value)


def _files(draft: Draft) -> Iterator[NamedFile]:
    """Return the files that settings name, with the places that name them."""
    for path, value in _leaves(draft.content, ()):
        if isinstance(value, str) and value and holds_secrets(path) and str(path[-1]).endswith("_file"):
            yield NamedFile(draft.origin(path)[1], path, Path(value))


def _scrubbed(lines: list[str], draft: Draft, schema: Schema) -> list[str]:
    """Take out secrets that a part's own message repeats."""
    secrets = [
        value
        for path, value in _leaves(draft.content, ())
        if isinstance(value, str) and len(value) >= _MIN_SECRET_LENGTH
        if path and holds_secrets(path) and schema.is_secret(path)
    ]
    for secret in secrets:
        lines = [line.replace(secret, HIDDEN) for line in lines]
    return lines
