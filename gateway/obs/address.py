"""Where objects of the store are: in which region, in which bucket, under which name."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus, unquote_to_bytes, urlsplit

from gateway.errors import GatewayError, Reason
from gateway.obs.authorization import PARAMETERS

_HOST: Final = re.compile(r"(?:(?P<bucket>.+)\.)?obs(?:\.(?P<region>[a-z0-9-]+))?\.myhuaweicloud\.(?:com|eu)")

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""The names that the store allows for buckets."""


@dataclass(frozen=True, slots=True)
class ObsObject:
    """An object of the store, and the address that it is asked for at."""

    site: str
    """`https://host` or `https://host:port`, without the bucket's own name if that stands in the path."""
    bucket: str
    """For a domain of one's own that is bound to a bucket: that domain."""
    key: bytes
    bucket_in_path: bool = False
    query: tuple[tuple[str, str | None], ...] = ()
    """Parameters besides those of the authorization; None for one without `=`."""

    @classmethod
    def of_bucket(cls, bucket: str, key: str, region: str) -> "ObsObject":
        """The object `key` of a bucket in a region of the public cloud.

        Raises `GatewayError` with `URI_INVALID` if no bucket can have that name, or there is no key.
        """
        if not _BUCKET.fullmatch(bucket) or not key:
            raise _unusable("it names no object")
        return cls(f"https://{bucket}.obs.{region}.myhuaweicloud.com", bucket, key.encode())

    @classmethod
    def at(cls, url: str, *, endpoint: str | None = None, own_domain: bool = False) -> "ObsObject":
        """The object that `url` leads to; an authorization that it carries is left out.

        `endpoint`: host of a private cloud's store, beside the public one's. `own_domain`: the host is one's own, bound to a
        bucket. Raises `GatewayError` with `URI_INVALID` if the URL is malformed, or leads to no object of such a store.
        """
        if not url.isprintable():
            raise _unusable("it holds control characters; write them as %XX")
        try:
            parts = urlsplit(url)
            host = _host(url)
            _ = parts.port  # raises for a port that is none
        except ValueError as error:
            raise _unusable("it is malformed") from error
        if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
            raise _unusable("it must start with http:// or https:// and name a host, without user name or password")
        if parts.fragment:
            raise _unusable("it has a fragment; a # that is part of the object's name is written %23")
        bucket = host if own_domain else _bucket(host, endpoint)
        if bucket is None:
            raise _unusable("its host is not one of the object store")
        path = parts.path.removeprefix("/")
        in_path = not bucket
        if in_path:
            bucket, _, path = path.partition("/")
        if not bucket or not path:
            raise _unusable("it names no object")
        return cls(f"{parts.scheme}://{parts.netloc}", bucket, unquote_to_bytes(path), in_path, _kept(parts.query))


def region_of(url: str) -> str | None:
    """The region that `url` names, if its host is one of the public cloud's store. Raises `ValueError` if it is no URL."""
    match = _HOST.fullmatch(_host(url))
    return match["region"] if match else None


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")


def _bucket(host: str, endpoint: str | None) -> str | None:
    """The bucket that stands in the name of the host; empty if none does, None if the host is no object store."""
    if match := _HOST.fullmatch(host):
        return match["bucket"] or ""
    if endpoint is None:
        return None
    if host == endpoint:
        return ""
    return host.removesuffix(f".{endpoint}") if host.endswith(f".{endpoint}") else None


def _kept(query: str) -> tuple[tuple[str, str | None], ...]:
    pieces = [piece.partition("=") for piece in query.split("&") if piece]
    decoded = [(unquote_plus(name), unquote_plus(value) if equals else None) for name, equals, value in pieces]
    return tuple((name, value) for name, value in decoded if name.lower() not in PARAMETERS)


def _unusable(why: str) -> GatewayError:
    return GatewayError(Reason.URI_INVALID, f"the URL cannot be used: {why}", field="uri")
