"""The authenticator of tokens that the settings describe."""

import time
from collections.abc import Callable
from pathlib import Path

from gateway.access.jwk_set import JwkSet, read_jwk_set
from gateway.access.jwk_sources import MAX_BYTES, Fetch, KeyFile, KeySource, KeyUrl, Observer
from gateway.access.settings import AccessSettings
from gateway.access.tenants import Roster
from gateway.access.tokens import TokenAuthenticator
from gateway.reloaded import Reloaded


async def opened_tokens(
    settings: AccessSettings, roster: Callable[[], Roster], fetch: Fetch, observer: Observer
) -> TokenAuthenticator:
    """One that is ready. Raises `ValueError` for a file of keys that cannot be used; a URL may be down."""
    keys, algorithms = settings.jwt_keys or "", settings.algorithms
    source: KeySource
    if settings.keys_are_remote:
        source = url = KeyUrl(
            keys,
            fetch,
            lambda content: read_jwk_set(content, algorithms),
            refresh=settings.jwt_refresh,
            pause=settings.jwt_refetch_pause,
            max_age=settings.jwt_max_age,
            clock=time.monotonic,
            observer=observer,
        )
        await url.start()
    else:
        file = Path(keys)
        source = KeyFile(
            Reloaded(
                "access.jwt_keys",
                [file],
                lambda: read_keys(file, algorithms),
                interval=settings.reload_interval,
                observer=observer,
            )
        )
    return TokenAuthenticator(
        roster,
        source,
        issuer=settings.jwt_issuer or "",
        audience=settings.jwt_audience or "",
        algorithms=algorithms,
        tenant_claim=settings.jwt_tenant_claim,
        leeway=settings.jwt_leeway,
    )


def read_keys(file: Path, algorithms: tuple[str, ...]) -> JwkSet:
    """The keys in `file` for these algorithms. Raises `ValueError` saying what is wrong with the file."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise ValueError(msg) from None
    if len(content) > MAX_BYTES:
        msg = f"{file} is longer than {MAX_BYTES} bytes"
        raise ValueError(msg)
    try:
        return read_jwk_set(content, algorithms)
    except ValueError as error:
        msg = f"{file} {error}"
        raise ValueError(msg) from None
