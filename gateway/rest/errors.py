"""An error of the contract, ready to be answered."""

import math

from aiohttp import web

from gateway.rest.codes import CODES


class RestError(Exception):
    """An error of the contract: `{"error_code", "error_msg"}` with an HTTP status."""

    def __init__(self, code: str, detail: str = "", *, retry_after: float | None = None) -> None:
        """`code` is one of `CODES`; `detail` is added to its message; `retry_after` is in seconds, and sent rounded up."""
        self.status, text = CODES[code]
        self.code = code
        self.message = f"{text} {detail}".strip()
        self.retry_after = retry_after
        super().__init__(self.message)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        return {} if self.retry_after is None else {"Retry-After": str(max(1, math.ceil(self.retry_after)))}

    def response(self) -> web.Response:
        """The reply."""
        document = {"error_code": self.code, "error_msg": self.message}
        return web.json_response(document, status=self.status, headers=self.headers)
