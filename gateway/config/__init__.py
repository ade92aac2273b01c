"""All settings: what there is, reading them, telling of them, and taking them up while the gateway runs."""

from gateway.config.declared import Declared, declared_settings
from gateway.config.loading import CONFIG_VARIABLE, Loaded, load, load_settings
from gateway.config.settings import ENV_PREFIX, ConfigError, GatewaySettings

__all__ = [
    "CONFIG_VARIABLE",
    "ENV_PREFIX",
    "ConfigError",
    "Declared",
    "GatewaySettings",
    "Loaded",
    "declared_settings",
    "load",
    "load_settings",
]
