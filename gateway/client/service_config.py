"""How clients of every language should call a gateway, as gRPC's own configuration of a service says it."""

from importlib import resources


def service_config() -> str:
    """The service's configuration (JSON; gRPC `doc/service_config.md`), as it is published beside the protos.

    Unary calls that end in `UNAVAILABLE` are sent again by the channel, a few times, after growing pauses or those that the
    gateway asks for, unless too many fail (gRFC A6). Streams are not: only who sends the items knows which may be sent again.
    """
    return resources.files("gateway.imagerecognition.v1").joinpath("service_config.json").read_text(encoding="utf-8")
