"""`image-gateway obs sign`: URLs of the object store that the cloud, or anyone, may read until they expire."""

import sys
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError, Reason
from gateway.media import MAX_URI_CHARS
from gateway.obs import MAX_VALIDITY, ObsObject, signed_url
from gateway.upstream.credentials.access_key import AccessKey

_SCHEME: Final = "obs://"


@dataclass(frozen=True, slots=True)
class ObsSignRequest:
    """What the command line asks for: the URL, or `obs://BUCKET/OBJECT` in `region`, valid for `expires` seconds.

    `endpoint`: host of a private cloud's store. `own_domain`: the URL's host is one's own, bound to a bucket.
    """

    url: str
    expires: int
    region: str
    endpoint: str | None = None
    own_domain: bool = False


async def run_obs_sign(request: ObsSignRequest, keys: AccessKey, now: float) -> int:
    """Print the signed URL, and nothing else, on standard output; `now` is in seconds since the epoch.

    Raises `GatewayError` with `URI_INVALID`, or with `INVALID_ARGUMENT` for a validity of no time or of more than 20 years.
    """
    if not 1 <= request.expires <= MAX_VALIDITY:
        allowed = f"1 to {MAX_VALIDITY} seconds"
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"a URL cannot be valid for {request.expires} s; {allowed} are allowed",
            field="expires",
            measured=f"{request.expires} s",
            allowed=allowed,
        )
    url = signed_url(_target(request), keys, int(now) + request.expires)
    if keys.expires_at < now + request.expires:
        _warn(f"the access key is valid for {keys.expires_at - now:.0f} s more, and the URL no longer than that")
    if len(url) > MAX_URI_CHARS:
        _warn(f"the URL is {len(url)} characters long; a gateway takes {MAX_URI_CHARS} at most")
    print(url)
    return 0


def _target(request: ObsSignRequest) -> ObsObject:
    if not request.url.startswith(_SCHEME):
        return ObsObject.at(request.url, endpoint=request.endpoint, own_domain=request.own_domain)
    bucket, _, key = request.url.removeprefix(_SCHEME).partition("/")
    return ObsObject.of_bucket(bucket, key, request.region)


def _warn(what: str) -> None:
    print(f"image-gateway: warning: {what}", file=sys.stderr)
