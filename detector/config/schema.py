"""Which settings there are, and of which types: a walk through the models beside the content."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

from detector.config.families import Families
from detector.config.problems import Draft, KeyPath, is_secret_key

_LISTS = (list, tuple, set, frozenset, Sequence, AbstractSet)
_MAPPINGS = (dict, Mapping)


def members(annotation: Any) -> Iterator[Any]:
    """Return the alternatives of an annotation, without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for alternative in get_args(annotation):
            yield from members(alternative)
    elif hasattr(annotation, "__value__"):  # a `type` alias
        yield from members(annotation.__value__)
    elif annotation is not NoneType:
        yield annotation


def model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model among the alternatives, None if there is none."""
    for member in members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def item_of(annotation: Any) -> Any:
    """Return what a list of this annotation holds, None if it is no list."""
    return next((_first(m, 0) for m in members(annotation) if _is_any_of(m, _LISTS)), None)


def value_of(annotation: Any) -> Any:
    """Return what a mapping with free keys holds, None if it is none."""
    return next((_first(m, 1) for m in members(annotation) if _is_any_of(m, _MAPPINGS)), None)


def _is_any_of(member: Any, families: tuple[Any, ...]) -> bool:
    return (get_origin(member) or member) in families


def _first(member: Any, position: int) -> Any:
    arguments = get_args(member)
    return arguments[position] if len(arguments) > position else Any


def fields_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the keys of a model as users write them, with their annotations."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


class Schema:
    """The settings there are, given which kinds the draft names."""

    def __init__(self, root: type[BaseModel], families: Families, draft: Draft) -> None:
        self._root = root
        self._families = families
        self._draft = draft

    def at(self, path: KeyPath) -> Any:
        """Return the annotation of what may stand at `path`.

        None if nothing may; Any where that is unknown, as below a kind that there is not.
        """
        annotation: Any = self._root
        for i, key in enumerate(path):
            annotation = self.step(annotation, key)
            if annotation is None or annotation is Any:
                return annotation
            annotation = self._kind(path[: i + 1]) or annotation
        return annotation

    def _kind(self, path: KeyPath) -> Any:
        family = self._families.at(path)
        if family is None:
            return None
        written = self._draft.get(path)
        return family.settings(written.get("kind") if isinstance(written, dict) else None) or Any

    def step(self, annotation: Any, key: str | int) -> Any:
        """Return the annotation one key further in, None if there can be no such key."""
        model = model_of(annotation)
        if isinstance(key, int):
            return item_of(annotation)
        if model is not None and key in fields_of(model):
            return fields_of(model)[key]
        return value_of(annotation)

    def keys(self, path: KeyPath) -> list[str]:
        """Return the keys that may stand at `path`; none where any may."""
        model = model_of(self.at(path))
        return [] if model is None else list(fields_of(model))

    def is_secret(self, path: KeyPath) -> bool:
        """Whether what stands at `path` must not be shown."""
        if not path:
            return False
        kept = any(m in (SecretStr, SecretBytes) for m in members(self.at(path)))
        return kept or (holds_secrets(path) and is_secret_key(path[-1]))


def holds_secrets(path: KeyPath) -> bool:
    """Whether secrets may be found at `path`; elsewhere keys are names of data, such as `reset_token`."""
    return path[0] not in ("models", "event")
