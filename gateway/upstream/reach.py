"""Which addresses a download may connect to, and the resolver that lets it connect to no other."""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.upstream.allow_list import AllowList, IpAddress
from gateway.upstream.settings import DownloadSettings

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""What is routed on the Internet; NAT64, site-local and IPv4-compatible addresses lie outside."""

_NOT_PUBLIC: Final = (
    ipaddress.ip_network("192.0.0.0/24"),  # protocol assignments; a cloud's metadata service lives here
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4, withdrawn (RFC 7526)
    ipaddress.ip_network("168.63.129.16/32"),  # a cloud's own service to its machines, in public clothes
    ipaddress.ip_network("3fff::/20"),  # documentation (RFC 9637)
)
"""What `ipaddress`, or an older release of it, takes for global though it is not."""


class ForbiddenAddressError(Exception):
    """Deliberately no OSError: aiohttp wraps those as a failed connection, to be tried at the next address."""


class Reach:
    """Public addresses, and what the operator lets be reached besides."""

    def __init__(self, settings: DownloadSettings) -> None:
        self.adopt(settings)

    def adopt(self, settings: DownloadSettings) -> None:
        """From now on by these settings."""
        self._everything = settings.allow_private
        self._allowed = AllowList(settings.allow)

    def check(self, host: str, address: str, port: int) -> None:
        """Raise `ForbiddenAddressError` unless `address`, which is what `host` stands for, may be connected to at `port`.

        Raises `ValueError` if `address` is none.
        """
        ip = _parsed(address)
        scoped = "%" in address  # a zone of this machine
        if not (self._everything or (_is_public(ip) and not scoped) or self._allowed.admits(host, ip, port)):
            raise ForbiddenAddressError

    def check_literal(self, url: URL) -> None:
        """Raise `ForbiddenAddressError` if the host of `url` is an address that may not be connected to, rather than a name.

        aiohttp does not ask the resolver about those.
        """
        host = url.host or ""
        try:
            self.check(host, host, url.port or 0)
        except ValueError:
            # A name, which the resolver checks. Digits and dots are none: connecting would take `127.1` for an address.
            if host.replace(".", "").isdigit() and not self._everything:
                raise ForbiddenAddressError from None


class GuardedResolver(AbstractResolver):
    """Resolves names with the system's resolver and refuses those that have any address that may not be reached.

    It has threads of its own: names whose servers never answer hold up nothing but downloads.
    """

    def __init__(self, reach: Reach, threads: int) -> None:
        self._reach = reach
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of `host`. Raises `ForbiddenAddressError`, and `OSError` if there is no such name."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        results = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in found
        ]
        for result in results:
            self._reach.check(host, result["host"], port)
        return results

    async def close(self) -> None:
        """Wait for no lookup that is still under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _parsed(address: str) -> IpAddress:
    """The address that is connected to. Raises `ValueError` if `address` is none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip


def _is_public(ip: IpAddress) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and (ip.sixtofour is not None or ip.teredo is not None or ip not in _GLOBAL_UNICAST):
        return False  # tunnels carry an IPv4 address that would need a check of its own
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)
