"""Pictures from URLs, without becoming anyone's way into the network that this gateway stands in.

A host name is resolved once, its addresses are checked, and the connection goes to what was checked; each redirect is
checked like the first address.
"""

import asyncio
import ipaddress
import socket
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri
from gateway.upstream.allow_list import AllowList, IpAddress
from gateway.upstream.settings import DownloadSettings

_CHUNK: Final = 256 << 10

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""What is routed on the Internet; NAT64, site-local and IPv4-compatible addresses lie outside."""

_PROTOCOL_ASSIGNMENTS: Final = ipaddress.IPv4Network("192.0.0.0/24")
"""Not global, though older releases of `ipaddress` say so; a cloud's metadata service lives here."""


class _ForbiddenAddressError(Exception):
    """Deliberately no OSError: aiohttp wraps those as a failed connection, to be tried at the next address."""


def _parsed(address: str) -> IpAddress:
    """The address that is connected to. Raises `ValueError` if `address` is none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip


def _is_public(ip: IpAddress) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and (ip.sixtofour is not None or ip.teredo is not None or ip not in _GLOBAL_UNICAST):
        return False  # tunnels carry an IPv4 address that would need a check of its own
    return ip.is_global and not ip.is_multicast and ip not in _PROTOCOL_ASSIGNMENTS


class _GuardedResolver(AbstractResolver):
    """Resolves names with the system's resolver and refuses those that have any address that may not be reached."""

    def __init__(self, allowed: AllowList) -> None:
        self._allowed = allowed

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
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
        addresses = [_parsed(result["host"]) for result in results]
        if not all(_is_public(address) or self._allowed.admits(host, address, port) for address in addresses):
            raise _ForbiddenAddressError
        return results

    async def close(self) -> None:
        """Nothing to close."""


class Downloader:
    """Downloads pictures and other media over HTTP(S), within limits of size, time, redirects and reach."""

    def __init__(self, settings: DownloadSettings) -> None:
        self._settings = settings
        self._allowed = AllowList(settings.allow)
        resolver = None if settings.allow_private else _GuardedResolver(self._allowed)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True),
            timeout=aiohttp.ClientTimeout(total=None),  # one deadline for all hops, set in `fetch`
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "image-gateway", "Accept": "*/*", "Accept-Encoding": "identity"},
            # A picture does not shrink under gzip, and a bomb would only be met after it was unpacked.
            auto_decompress=False,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
        """Return what `uri` holds, `max_bytes` at most (by default as many as the settings say).

        Raises `GatewayError` with `URI_INVALID`, `URI_FORBIDDEN`, `URI_DOWNLOAD_FAILED` or `IMAGE_TOO_LARGE`; no message repeats
        the URL, which may carry a signature.
        """
        limit = self._settings.max_bytes if max_bytes is None else max_bytes
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._follow(URL(ImageUri(uri).uri), limit)
        except TimeoutError as error:
            raise _failed(f"it took longer than {self._settings.timeout:g} s") from error
        except _ForbiddenAddressError as error:
            raise _forbidden() from error
        except aiohttp.InvalidURL as error:
            raise GatewayError(Reason.URI_INVALID, "the URL cannot be used: it is malformed", field="uri") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failed("no connection could be made, or it broke") from error

    async def _follow(self, url: URL, limit: int) -> bytes:
        for _ in range(self._settings.max_redirects + 1):
            self._check_literal(url)
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status in {301, 302, 303, 307, 308} and "Location" in response.headers:
                    url = url.join(URL(response.headers["Location"]))
                    ImageUri(str(url))  # the same rules as for the first one
                    continue
                if response.status != 200:
                    raise _failed(f"the server answered HTTP {response.status}", measured=f"HTTP {response.status}")
                return await _read(response, limit)
        raise _failed(f"there were more than {self._settings.max_redirects} redirects")

    def _check_literal(self, url: URL) -> None:
        """Check an address that stands in the URL itself: aiohttp does not ask the resolver about those."""
        if self._settings.allow_private or url.host is None:
            return
        try:
            address = _parsed(url.host)
        except ValueError:
            # A name, which the resolver checks. Digits and dots are none: connecting would take `127.1` for an address.
            may_be_reached = not url.host.replace(".", "").isdigit()
        else:
            may_be_reached = _is_public(address) or self._allowed.admits(url.host, address, url.port or 0)
        if not may_be_reached:
            raise _ForbiddenAddressError


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    if response.content_length is not None and response.content_length > limit:
        raise _too_large(f"{response.content_length} bytes", limit)
    content = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise _too_large(f"more than {limit} bytes", limit)
    return bytes(content)


def _forbidden() -> GatewayError:
    return GatewayError(
        Reason.URI_FORBIDDEN,
        "the URL leads to an address that is not public, which this gateway does not download from",
        field="uri",
    )


def _failed(why: str, measured: str = "") -> GatewayError:
    message = f"the file could not be downloaded: {why}"
    return GatewayError(Reason.URI_DOWNLOAD_FAILED, message, field="uri", measured=measured)


def _too_large(measured: str, limit: int) -> GatewayError:
    return GatewayError(
        Reason.IMAGE_TOO_LARGE,
        f"the file behind the URL is {measured}; at most {limit} bytes are allowed",
        field="uri",
        measured=measured,
        allowed=f"at most {limit} bytes",
    )
