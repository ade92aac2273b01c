"""Documents that the operator names by URL, such as key sets."""

import asyncio
from typing import Final

import aiohttp

from gateway.errors import GatewayError, Reason

MAX_BYTES: Final = 1 << 20

TIMEOUT: Final = 5.0
"""Seconds for all of it: calls may wait for it."""


async def fetch_document(url: str) -> bytes:
    """What is behind `url`, which the operator vouches for: it may lie in the operator's own network.

    Redirects are not followed. Raises `GatewayError` with `UPSTREAM_UNAVAILABLE`, whose message does not repeat the URL.
    """
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response,
        ):
            if response.status != 200:
                raise _failed(f"HTTP {response.status}")
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise _failed(f"more than {MAX_BYTES} bytes")
            return bytes(content)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # timeouts are OSErrors
        raise _failed(type(error).__name__) from None


def _failed(why: str) -> GatewayError:
    return GatewayError(Reason.UPSTREAM_UNAVAILABLE, f"a document could not be fetched: {why}", measured=why)
