"""The configuration: a YAML file and environment variables, checked, with every default filled in."""

from detector.config.describe import show
from detector.config.http import DEFAULT_PORT
from detector.config.load import installed_families, load_config
from detector.config.models import Config
from detector.config.problems import InvalidConfigError
from detector.config.public import public_settings

__all__ = [
    "DEFAULT_PORT",
    "Config",
    "InvalidConfigError",
    "installed_families",
    "load_config",
    "public_settings",
    "show",
]
