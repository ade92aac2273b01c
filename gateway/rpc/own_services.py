"""gRPC's own services beside the contract's."""

from typing import Final

_PREFIX: Final = "grpc."


def is_of_grpc(method: str) -> bool:
    """Whether `method` (its full name, without a slash before it) is of health, reflection or channelz, which balancers and
    people ask over and over."""
    return method.startswith(_PREFIX)
