"""What an operator lets downloads reach although it is not public."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_ENTRY: Final = re.compile(r"\[(?P<bracketed>[^\[\]]+)\](:(?P<port>\d{1,5}))?|(?P<plain>[^:\[\]]+)(:(?P<plain_port>\d{1,5}))?")
_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Entry:
    network: IpNetwork | None
    name: str
    port: int | None

    def admits(self, host: str, address: IpAddress, port: int) -> bool:
        if self.port not in {None, port}:
            return False
        if self.network is None:
            return host == self.name
        return address.version == self.network.version and address in self.network


class AllowList:
    """Hosts, addresses and networks, each with or without a port."""

    def __init__(self, entries: str) -> None:
        """`entries` are separated by commas: `10.0.0.5`, `10.0.0.0/8`, `10.0.0.5:9000`, `[fd00::/8]:443`, `store.internal:9000`.

        Raises `ValueError` that names the entry at fault.
        """
        self._entries = tuple(_parsed(entry.strip()) for entry in entries.split(",") if entry.strip())

    def admits(self, host: str, address: IpAddress, port: int) -> bool:
        """Whether a connection to `address`, which is what `host` of the URL stands for, may be made at `port`."""
        name = host.lower().rstrip(".")
        return any(entry.admits(name, address, port) for entry in self._entries)


def _network(text: str) -> IpNetwork:
    """Raises `ValueError` if it is none. IPv4 spelled as IPv6 (`::ffff:10.0.0.0/104`) is the IPv4 that is connected to."""
    network = ipaddress.ip_network(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    return network if mapped is None or network.prefixlen < 96 else ipaddress.IPv4Network((mapped, network.prefixlen - 96))


def _parsed(text: str) -> _Entry:
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"
    match = _ENTRY.fullmatch(text)
    host = (match["bracketed"] or match["plain"]).lower() if match else ""
    port = (match["port"] or match["plain_port"]) if match else None
    if host and not (port and not 1 <= int(port) <= 65535):
        try:
            return _Entry(_network(host), "", int(port) if port else None)
        except ValueError:
            # A name; what looks like a number is a mistyped address or network, and no host has such a name.
            if _NAME.fullmatch(host) and not host.rpartition(".")[2].isdigit():
                return _Entry(None, host, int(port) if port else None)
    msg = f"{text!r} must be an address, a network such as 10.0.0.0/8 (no host bits set) or a host name, with or without :PORT"
    raise ValueError(msg)
