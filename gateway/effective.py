"""The settings in effect, as operators may see them."""

from gateway.config import GatewaySettings, declared_settings
from gateway.telemetry.redaction import redacted


def shown_settings(settings: GatewaySettings) -> dict[str, object]:
    """The settings in effect by their paths, without secrets: of those it is told whether they are set."""
    shown: dict[str, object] = {}
    for declared in declared_settings():
        value: object = settings
        for name in declared.path.split("."):
            value = getattr(value, name)
        if declared.is_secret:
            shown[declared.path] = None if value is None else "(set)"
        else:
            shown[declared.path] = value if value is None or isinstance(value, bool | int | float) else redacted(str(value))
    return shown
