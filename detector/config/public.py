"""The settings that whoever reaches the API may see: those of a list, so that a new one is told on purpose.

Left out is what holds a secret, and what tells where things are: addresses, users, files.
"""

from typing import Any

from detector.config.describe import settings_of
from detector.config.models import Config

_ALL = True

_DECISION = (
    "false_alarms_per_30_days",
    "min_effect",
    "min_samples",
    "dataset_share",
    "learn",
    "schema_tolerance",
    "statistics",
)

_TOLD: dict[str, Any] = {
    "source": dict.fromkeys(
        ("kind", "topics", "group_id", "election", "session_timeout", "start", "max_poll_records",
         "max_batch_bytes"), _ALL
    ),
    "event": dict.fromkeys(
        ("format", "fields", "time_format", "max_bytes", "max_rows", "kserve", "seldon"), _ALL
    ),
    "dead_letter": dict.fromkeys(("topic", "only", "queue"), _ALL),
    "models": {
        **dict.fromkeys(("name", "slices", "environment", "features"), _ALL),
        "decision": dict.fromkeys(_DECISION, _ALL),
    },
    "windows": dict.fromkeys(("pane", "lengths", "lateness", "max_future", "idle_after"), _ALL),
    "decision": dict.fromkeys(_DECISION, _ALL),
    "alerts": {
        **dict.fromkeys(("raise_after", "clear_after", "clear_for"), _ALL),
        "sinks": dict.fromkeys(("kind", "name", "only", "severity"), _ALL),
    },
    "http": {"enabled": _ALL},
    "metrics": dict.fromkeys(("max_series", "statistics"), _ALL),
    "privacy": {"min_count": _ALL},
    "state": dict.fromkeys(("kind", "every"), _ALL),
    "limits": {"memory": _ALL},
    "log": dict.fromkeys(("level", "format"), _ALL),
    "reload": _ALL,
}  # fmt: skip
"""Section -> setting -> what of it is told; of a list that holds for each item."""


def public_settings(config: Config) -> dict[str, Any]:
    """Return the settings that are told, by section in the documented order; also those left to defaults."""
    told: dict[str, Any] = _picked(settings_of(config), _TOLD)
    return told


def _picked(value: Any, told: Any) -> Any:
    if told is _ALL:
        return value
    if isinstance(value, list):
        return [_picked(item, told) for item in value]
    if isinstance(value, dict):
        return {name: _picked(of, told[name]) for name, of in value.items() if name in told}
    return None
