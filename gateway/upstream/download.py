"""Pictures from URLs, without becoming anyone's way into the network that this gateway stands in.

A host name is resolved once, its addresses are checked, and the connection goes to what was checked; each redirect is
checked like the first address.
"""

import asyncio
import time
from typing import Final

import aiohttp
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from yarl import URL

from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri
from gateway.telemetry.stage import stage
from gateway.upstream.download_metrics import DownloadMetrics
from gateway.upstream.reach import ForbiddenAddressError, GuardedResolver, Reach
from gateway.upstream.settings import DownloadSettings

_CHUNK: Final = 256 << 10

_BEGINNING: Final = 512
"""Bytes by which a page is told from a file."""

_COMPRESSED: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})
"""Nothing else is refused: `Content-Encoding` is often set to what is none (base64, binary, utf-8) of a file sent as it is."""

_PAGES: Final = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "application/json")


class Downloader:
    """Downloads pictures and other media over HTTP(S), within limits of size, time, redirects, number and reach."""

    def __init__(self, settings: DownloadSettings, registry: CollectorRegistry | None = None) -> None:
        """`registry`: where metrics go."""
        self._settings = settings
        self._metrics = metrics = DownloadMetrics(registry or CollectorRegistry())
        self._under_way = 0
        metrics.show("under_way", "Downloads under way, those that wait for their turn included.", lambda: self._under_way)
        metrics.show("limit", "Downloads at once, at most.", lambda: settings.concurrency)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._reach = Reach(settings)
        self._resolver = GuardedResolver(self._reach, settings.concurrency)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False, force_close=True, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),  # one deadline for all hops, set in `fetch`
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "image-gateway", "Accept": "*/*", "Accept-Encoding": "identity"},
            # A picture does not shrink under gzip, and a bomb would only be met after it was unpacked.
            auto_decompress=False,
        )

    def adopt(self, settings: DownloadSettings) -> None:
        """From now on by these settings, but for `concurrency`. What is under way goes on."""
        self._settings = settings
        self._reach.adopt(settings)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._resolver.close()

    async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
        """Return what `uri` holds, `max_bytes` at most (by default as many as the settings say).

        Downloads wait for their turn in order of arrival; the time limit begins with it. Raises `GatewayError` with
        `URI_INVALID`, `URI_FORBIDDEN`, `URI_DOWNLOAD_FAILED` or `IMAGE_TOO_LARGE`; no message repeats the URL, which may carry a
        signature.
        """
        started_at = time.perf_counter()
        outcome, size = Reason.CANCELLED.value, 0
        self._under_way += 1
        try:
            with stage("download", kind=SpanKind.CLIENT):
                content = await self._fetched(uri, self._settings.max_bytes if max_bytes is None else max_bytes)
            outcome, size = "ok", len(content)
        except GatewayError as error:
            outcome = error.reason.value
            raise
        finally:
            self._under_way -= 1
            self._metrics.ended(outcome, size, time.perf_counter() - started_at)
        return content

    async def _fetched(self, uri: str, limit: int) -> bytes:
        url = _usable(uri)
        try:
            async with self._slots, asyncio.timeout(self._settings.timeout):
                return await self._follow(url, limit)
        except TimeoutError as error:
            raise _failed(f"it took longer than {self._settings.timeout:g} s") from error
        except ForbiddenAddressError as error:
            message = "the URL leads to an address that is not public, which this gateway does not download from"
            raise GatewayError(Reason.URI_FORBIDDEN, message, field="uri") from error
        except aiohttp.InvalidURL as error:
            raise _malformed() from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failed("no connection could be made, or it broke") from error

    async def _follow(self, url: URL, limit: int) -> bytes:
        for _ in range(self._settings.max_redirects + 1):
            self._reach.check_literal(url)
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status in {301, 302, 303, 307, 308} and "Location" in response.headers:
                    url = _next(url, response.headers["Location"])
                    continue
                if response.status != 200:
                    raise _failed(f"the server answered HTTP {response.status}", measured=f"HTTP {response.status}")
                return await _read(response, limit)
        raise _failed(f"there were more than {self._settings.max_redirects} redirects")


def _usable(uri: str) -> URL:
    try:
        return URL(ImageUri(uri).uri)
    except ValueError as error:
        raise _malformed() from error


def _next(url: URL, location: str) -> URL:
    """Where a redirect leads; the same rules hold as for the first address."""
    try:
        target = _usable(str(url.join(URL(location))))
    except ValueError as error:
        raise _malformed() from error
    if (url.scheme, target.scheme) == ("https", "http"):
        message = "the URL leads from https on to http, where anyone on the way could exchange the file"
        raise GatewayError(Reason.URI_FORBIDDEN, message, field="uri")
    return target


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    codings = {coding.strip().lower() for coding in response.headers.get("Content-Encoding", "").split(",")}
    if compressed := codings & _COMPRESSED:
        measured = f"Content-Encoding: {', '.join(sorted(compressed))}"
        raise _failed("the server sent it compressed, which it was asked not to do", measured=measured)
    if response.content_length is not None and response.content_length > limit:
        raise _too_large(f"{response.content_length} bytes", limit)
    content = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise _too_large(f"more than {limit} bytes", limit)
        if len(content) - len(chunk) < _BEGINNING:
            _check_file(response, content)
    return bytes(content)


def _check_file(response: aiohttp.ClientResponse, content: bytearray) -> None:
    """Raise `GatewayError` if what came is a page for people: to sign in, or to say with 200 that something was not found.

    What the server says of it does not suffice: scripts send pictures as text/html.
    """
    beginning = content[:_BEGINNING].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    named = response.content_type in _PAGES and beginning.startswith((b"<", b"{", b"["))
    if named or beginning.startswith((b"<!doctype html", b"<html")):
        why = "what the server sent is a page or a message, not a picture or recording; the URL of the file itself is needed"
        raise _failed(why, measured=response.content_type if named else "text/html")


def _malformed() -> GatewayError:
    return GatewayError(Reason.URI_INVALID, "the URL cannot be used: it, or one that it leads on to, is malformed", field="uri")


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
