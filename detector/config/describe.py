"""The configuration in force as YAML: every setting, also those left to their defaults, without secrets."""

from enum import Enum
from typing import Any

import yaml
from pydantic import BaseModel, SecretBytes, SecretStr

from detector.config.models import Config
from detector.config.problems import is_secret_key, masked
from detector.config.schema import fields_of
from detector.config.yaml_file import RESOLVERS

SET = "<set>"
"""Stands for a secret that there is."""


class _Dumper(yaml.SafeDumper):
    """Quotes text that PyYAML, or our own reader, would take for something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent list items below their key."""
        super().increase_indent(flow, indentless=False)


for _name, _pattern, _first in RESOLVERS:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _first)


def show(config: Config) -> str:
    """Return the configuration in force, in the documented order; `load_config` reads it back."""
    return yaml.dump(
        settings_of(config),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )


def settings_of(config: Config) -> dict[str, Any]:
    """Return the same as dicts, lists and scalars."""
    sections = {name: _plain(getattr(config, name)) for name in type(config).model_fields}
    for model, shown in zip(config.models, sections["models"], strict=True):
        shown["decision"] = _plain(config.decision_of(model.name))
    return sections


def _plain(value: Any, key: str | None = None) -> Any:
    """Return settings as what YAML has: dicts, lists and scalars."""
    if isinstance(value, BaseModel):
        names = zip(fields_of(type(value)), type(value).model_fields, strict=True)
        return {written: _plain(getattr(value, name), written) for written, name in names}
    if isinstance(value, dict):
        return {str(k): _plain(v, None) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, key) for v in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(v, key) for v in value), key=str)
    if value is None:
        return None
    if isinstance(value, SecretStr | SecretBytes) or is_secret_key(key):
        return SET
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, bool | int | float):
        return value
    return masked(str(value), SET)
