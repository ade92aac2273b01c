"""Who may call: a token or a signature, for the project in the path."""

import asyncio
import functools
from collections.abc import Callable

from aiohttp import web

from gateway.rest.errors import RestError
from gateway.rest.iam import Iam
from gateway.rest.settings import RestSettings
from gateway.rest.verify import SignatureError, SignedRequest, verify


class Access:
    """Checks the credentials of requests."""

    def __init__(self, settings: RestSettings, iam: Iam, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._iam = iam
        self._clock = clock

    async def check(self, request: web.Request) -> str:
        """Return the project that the request's token or signature is for; empty if a token is for the domain only.

        Raises `RestError` unless there is a valid one.
        """
        token = request.headers.get("X-Auth-Token")
        if token:
            claims = self._iam.read(token)
            if claims is None:
                raise RestError("APIG.0301", "(the token is invalid or has expired)")
            return claims.project_id
        if "Authorization" in request.headers:
            await self._check_signature(request)
            return self._settings.project_id
        raise RestError("APIG.0301", "(neither X-Auth-Token nor Authorization was sent)")

    async def check_project(self, request: web.Request) -> None:
        """Raise `RestError` unless the caller may use the project in the request's path."""
        project_id = await self.check(request)
        if not project_id:
            raise RestError("AIS.0026")
        if request.match_info["project_id"] != project_id:
            raise RestError("AIP.0003")

    async def _check_signature(self, request: web.Request) -> None:
        settings = self._settings
        if settings.access_key is None or settings.secret_key is None:
            raise RestError("APIG.0301", "(no access key is configured here)")
        signed = SignedRequest(
            method=request.method,
            target=request.raw_path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        check = functools.partial(
            verify, signed, access_key=settings.access_key, secret_key=settings.secret_key.get_secret_value(), now=self._clock()
        )
        try:
            # Hashing a large body takes milliseconds, without the GIL.
            await asyncio.to_thread(check)
        except SignatureError as error:
            raise RestError("APIG.0301", f"({error})") from error
