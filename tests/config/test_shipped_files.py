"""The configuration files that are shipped: they load, say the truth about defaults, and miss nothing."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel

from detector.config import Config, installed_families, load_config
from detector.config.environment import PREFIX
from detector.config.schema import item_of, members, value_of

CONFIG = Path(__file__).parents[2] / "config"
ALL = CONFIG / "detector.yaml"
SIDECAR = CONFIG / "sidecar.yaml"

COMMENTED_OUT = re.compile(r"^( *)#(?=[\w\"-])", re.MULTILINE)
"""`#setting: example`; a remark has a space after its `#`."""
STATE_KINDS = ("directory", "kafka")
NEVER_IN_A_FILE = {
    ("Security", "password"),
    ("OAuth", "client_secret"),
    ("SchemaRegistrySettings", "password"),
    ("Authorization", "password"),
    ("Authorization", "bearer_token"),
    ("WebhookSettings", "url"),
    ("SlackSettings", "url"),
    ("Http", "token"),
    ("Basic", "password"),
}

INSTEAD = {("OAuth", "token_file")}
"""What stands in a remark of detector.yaml, for it excludes what stands beside it."""


def _switched_on(state_kind: str) -> str:
    """Return detector.yaml with everything in force that is commented out, and one of the kinds of state."""
    text = COMMENTED_OUT.sub(r"\1", ALL.read_text(encoding="utf-8"))
    before, in_directory, in_kafka_and_after = re.split(r"^state:\n", text, flags=re.MULTILINE)
    in_kafka, after = in_kafka_and_after.split("\n\n", 1)
    state = in_directory if state_kind == "directory" else in_kafka
    return f"{before}state:\n{state}\n\n{after}"


def _load_switched_on(tmp_path: Path, state_kind: str) -> Config:
    path = tmp_path / "everything.yaml"
    path.write_text(_switched_on(state_kind), encoding="utf-8")
    # A user and a password need a protocol that asks for them.
    return load_config(path, {"DRIFT_SOURCE__SECURITY__PROTOCOL": "SASL_SSL"})


def _instances(value: object) -> Iterator[BaseModel]:
    """Return every section within `value`."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from _instances(getattr(value, name))
    elif isinstance(value, dict | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _instances(inner)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Return every section that an annotation can hold."""
    for member in members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            yield member
            for field in member.model_fields.values():
                yield from _models_in(field.annotation)
        for inner in (item_of(member), value_of(member)):
            if inner is not None:
                yield from _models_in(inner)


def _all_models() -> set[type[BaseModel]]:
    families = installed_families()
    found = set(_models_in(Config))
    for family in (families.sources, families.sinks, families.states, families.registries):
        for name in family.names():
            settings = family.settings(name)
            assert settings is not None
            found |= set(_models_in(settings))
    # The base of all sections stands for a kind's own, and `replay` is for a command with its own files.
    return {model for model in found if model.__name__ not in ("BaseModel", "ReplaySource")}


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_file_loads(path):
    """No shipped file is refused or warned about, and none needs an environment variable."""
    config = load_config(path, {}, allow_replay=path.name == "demo.yaml")

    assert config.warnings == ()


@pytest.mark.parametrize("state_kind", STATE_KINDS)
def test_what_is_commented_out_loads_once_it_is_switched_on(tmp_path, state_kind):
    """The examples in detector.yaml are no prose: taking the `#` away gives a valid configuration."""
    config = _load_switched_on(tmp_path, state_kind)

    assert config.state is not None
    assert config.state.kind == state_kind
    assert config.models[0].features["debug_*"].ignore


def test_detector_yaml_names_every_setting(tmp_path):
    """Every setting of every section, also of every installed kind, stands in detector.yaml."""
    named = {
        (type(section).__name__, name)
        for state_kind in STATE_KINDS
        for section in _instances(_load_switched_on(tmp_path, state_kind))
        for name in section.model_fields_set
    }
    existing = {(model.__name__, name) for model in _all_models() for name in model.model_fields}

    assert existing - named == NEVER_IN_A_FILE | INSTEAD
    assert all(f"{name}: " in ALL.read_text(encoding="utf-8") for _, name in INSTEAD)


def test_detector_yaml_names_the_variables_of_secrets():
    """What must not stand in a file is explained by its environment variable."""
    text = ALL.read_text(encoding="utf-8")

    assert f"{PREFIX}SOURCE__SECURITY__PASSWORD" in text
    for name in ("1__AUTHORIZATION__PASSWORD", "2__AUTHORIZATION__BEARER_TOKEN", "2__URL", "3__URL"):
        assert f"{PREFIX}ALERTS__SINKS__{name}" in text
    assert f"{PREFIX}SCHEMA_REGISTRY__PASSWORD" in text


def test_values_in_detector_yaml_are_the_defaults():
    """A line of detector.yaml may go without changing anything."""
    differing = [
        f"{type(section).__name__}.{name}"
        for section in _instances(load_config(ALL, {}))
        for name, field in type(section).model_fields.items()
        if not field.is_required() and getattr(section, name) != field.get_default(call_default_factory=True)
    ]

    assert differing == []


def test_every_default_that_is_a_value_is_in_force_in_detector_yaml():
    """Only what has no value by default (null, an empty mapping) is commented out."""
    config = load_config(ALL, {})
    # What differs for one model is nothing by default.
    general = [getattr(config, name) for name in Config.model_fields if name != "models"]
    left_out = [
        f"{type(section).__name__}.{name}"
        for section in _instances(tuple(general))
        for name, field in type(section).model_fields.items()
        if name not in section.model_fields_set
        if not field.is_required() and field.get_default(call_default_factory=True) not in (None, {})
    ]

    assert left_out == []


def test_every_setting_in_detector_yaml_has_a_remark():
    """Above each setting stands a line that says what it is for."""
    lines = ALL.read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for before, line in pairwise(lines)
        if re.match(r" *#?(- )?[\w\"*]+:", line) and not re.match(r" *# ", before)
    ]

    # Its keys are the user's own: a pattern of features, the name of a statistic.
    assert bare == ['      #"debug_*":', "    #population_stability:"]


def test_sections_in_detector_yaml_stand_in_the_order_of_the_code():
    """Who reads the file beside `check-config --show` finds the same order."""
    text = ALL.read_text(encoding="utf-8")
    sections = re.findall(r"^#?(\w+):", text, flags=re.MULTILINE)

    assert list(dict.fromkeys(sections)) == list(Config.model_fields)


def test_sidecar_yaml_holds_only_what_is_required():
    """A newcomer sees the source and the model, nothing that has a default (save which kind of source)."""
    superfluous = [
        f"{type(section).__name__}.{name}"
        for section in _instances(load_config(SIDECAR, {}))
        for name in section.model_fields_set
        if not type(section).model_fields[name].is_required()
    ]

    assert superfluous == ["KafkaSettings.kind"]
