"""Addresses that are listened on."""

from typing import Final

from gateway.settings import split_address

_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not listened on


def port_of_both(one: str | None, other: str | None) -> int | None:
    """The port that both want, if one of them cannot have it then. None stands for no address; port 0 for a free one."""
    if one is None or other is None:
        return None
    (host, port), (other_host, other_port) = split_address(one), split_address(other)
    clash = port == other_port and (host == other_host or {host, other_host} & _EVERYWHERE)
    return port if port and clash else None
