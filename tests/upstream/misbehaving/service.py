"""The honest part: signs in, checks credentials, answers each operation with something that only that request can have got."""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Final

from gateway.rest.verify import SignatureError, SignedRequest, read_signature, verify

from .http import Reply, Request

PASSWORD: Final = "hunter2"
ACCESS_KEY: Final = "ACCESSKEY"
SECRET_KEY: Final = "hunter4"
PROJECT: Final = "project-7"

_MARKER: Final = re.compile(rb"marker-([\w-]+)")
_JSON: Final = {"Content-Type": "application/json"}


def marked(picture: bytes, marker: str) -> bytes:
    """A picture that says which call it belongs to, behind its end."""
    return picture + f"marker-{marker}".encode()


class Service:
    """Lives on the clock `clock` (seconds since the epoch). Whoever has a token or the key may call."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.sign_ins = 0
        self._tokens: set[str] = set()

    def sign_in(self, request: Request) -> Reply:
        """Issue a token to whoever knows the password."""
        try:
            password = json.loads(request.body)["auth"]["identity"]["password"]["user"]["password"]
        except (ValueError, KeyError, TypeError):
            return refusal(400, "AIS.0014", "no sign-in")
        if password != PASSWORD:
            return refusal(401, "APIG.0301", "wrong password")
        token = self.issue()
        now = self.clock()
        document = {"token": {"issued_at": _time(now), "expires_at": _time(now + 86_400), "project": {"id": PROJECT}}}
        return Reply(201, {**_JSON, "X-Subject-Token": token}, json.dumps(document).encode())

    def projects(self, request: Request) -> Reply:
        """The projects of that name, to whoever has the key."""
        found = {"projects": [{"id": PROJECT, "name": request.target.partition("name=")[2], "enabled": True}]}
        return self.objection(request) or Reply(200, _JSON, json.dumps(found).encode())

    def issue(self) -> str:
        """A new token. It is as long as the cloud's."""
        self.sign_ins += 1
        token = f"secret-token-{self.sign_ins}-{'t' * 4000}"
        self._tokens.add(token)
        return token

    def revoke(self, request: Request) -> None:
        """Take no longer the token that came with `request`."""
        self._tokens.discard(request.header("x-auth-token"))

    def objection(self, request: Request) -> Reply | None:
        """The refusal of credentials that do not hold; None if they do."""
        token = request.header("x-auth-token")
        if token:
            return (
                None
                if token in self._tokens
                else refusal(401, "APIG.0301", "Incorrect IAM authentication information: decrypt token fail")
            )
        try:
            verify(
                SignedRequest(request.method, request.target, request.headers, request.body),
                read_signature(request.headers, self.clock()),
                SECRET_KEY,
            )
        except SignatureError as error:
            return refusal(401, "APIG.0301", f"Incorrect IAM authentication information: {error}", {"Date": self.date()})
        return None

    def date(self) -> str:
        return formatdate(self.clock(), usegmt=True)

    def answer(self, request: Request) -> tuple[str, Reply]:
        """The marker of what the request is about, and the reply that it deserves."""
        is_form = request.header("content-type").startswith("multipart/form-data")
        document = {} if is_form else _document(request.body)
        work = request.body if is_form else _work(document)
        found = _MARKER.search(work)
        marker = found[1].decode() if found else ""
        path = request.target.partition("?")[0]
        if path.endswith("/tagging"):
            result: object = {"tags": [_tag(marker, document)]}
        elif path.endswith("/recognition"):
            result = {"audio_name": marker}
        elif is_form:
            return marker, Reply(200, {"Content-Type": "image/bmp"}, bitmap(marker))
        else:
            result = base64.b64encode(bitmap(marker)).decode()
        return marker, Reply(200, _JSON, json.dumps({"result": result}).encode())


def bitmap(marker: str) -> bytes:
    """A picture of 16 × 16 black pixels that says which call it is for."""
    pixels = bytes(16 * 16 * 3)
    header = b"BM" + (54 + len(pixels)).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    fields = (40, 4), (16, 4), (16, 4), (1, 2), (24, 2), (0, 4), (len(pixels), 4), (2835, 4), (2835, 4), (0, 4), (0, 4)
    return marked(header + b"".join(value.to_bytes(size, "little") for value, size in fields) + pixels, marker)


def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with a code of the vendor's."""
    document = {"error_code": code, "error_msg": message}
    return Reply(status, {**_JSON, "X-Request-Id": "request-of-refusal", **(headers or {})}, json.dumps(document).encode())


def _document(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _work(document: Mapping[str, object]) -> bytes:
    """What the marker is looked for in: the picture, or the URL."""
    try:
        return base64.b64decode(str(document.get("image", "")), validate=True) or str(document.get("url", "")).encode()
    except binascii.Error:
        return b""


def _tag(marker: str, document: Mapping[str, object]) -> dict[str, object]:
    names = {"zh": marker, "en": marker}
    return {"tag": marker, "confidence": "91.5", "type": "object", "i18n_tag": names, "i18n_type": names, "instances": []}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
