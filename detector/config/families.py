"""Sections whose settings depend on their `kind`: the source, each sink, where state and schemas are kept.

The settings of a kind lie beside its code, so that a new kind is one new file; they are found through
the registry of their family.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from detector.config.problems import KeyPath, Problem, shown, suggestion
from detector.registry import Registry


@dataclass(frozen=True, slots=True)
class Family:
    """The kinds of one section."""

    registry: Registry[Any]
    """Its parts have an attribute `Settings`, a pydantic model."""
    extra: tuple[tuple[str, type[BaseModel]], ...] = ()
    """Kinds that are no parts."""
    default: str | None = None
    """The kind of a section that names none."""

    def settings(self, kind: object) -> type[BaseModel] | None:
        """Return the model of the settings of a kind, None if there is no such kind."""
        kind = self.default if kind is None else kind
        for name, model in self.extra:
            if name == kind:
                return model
        if not isinstance(kind, str) or kind not in self.registry:
            return None
        model = self.registry.get(kind).Settings
        assert isinstance(model, type), kind
        assert issubclass(model, BaseModel), kind
        return model

    def names(self) -> list[str]:
        """Return the kinds there are."""
        return sorted([*self.registry.names(), *(name for name, _ in self.extra)])

    def check_kind(self, written: object, path: KeyPath) -> Problem | None:
        """Return what is wrong with a section before its settings are looked at, None if nothing."""
        known = ", ".join(self.names())
        if not isinstance(written, dict):
            example = f"write it like {{kind: {self.names()[0]}}} (kinds: {known})"
            return Problem(path, f"expected a mapping (found {shown(written)}); {example}")
        kind = written.get("kind", self.default)
        if kind is None:
            return Problem((*path, "kind"), f"required, but not there; add `kind:` with one of {known}")
        if self.settings(kind) is not None:
            return None
        message = f"unknown {self.registry.family} {shown(kind)}{suggestion(kind, self.names())}"
        return Problem((*path, "kind"), message)

    def validate(self, written: dict[str, Any]) -> BaseModel | ValidationError:
        """Return the settings that a section with a known kind holds, or what is wrong with them."""
        model = self.settings(written.get("kind"))
        assert model is not None, written.get("kind")
        try:
            return model.model_validate(written)
        except ValidationError as error:
            return error


@dataclass(frozen=True, slots=True)
class Families:
    """All families of kinds."""

    sources: Family
    sinks: Family
    states: Family
    registries: Family

    def at(self, path: KeyPath) -> Family | None:
        """Return the family of the section at `path`, None if it has no kinds."""
        match path:
            case ("source",):
                return self.sources
            case ("alerts", "sinks", int()):
                return self.sinks
            case ("state",):
                return self.states
            case ("schema_registry",):
                return self.registries
            case _:
                return None
