"""Answers as recordings hold them: `{"version", "digest", "request", "reply"}`, to be read and edited by people, too."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from gateway.rest.codes import CODES
from gateway.rest.document import read_document
from gateway.rest.errors import RestError
from gateway.rest.recorded_request import digest_of
from gateway.settings import Settings


class RecordingError(Exception):
    """A recording that cannot be used; the message tells why, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: the body, and its content type as the header has it."""

    content_type: str
    body: bytes


def write_recording(request: dict[str, Any], reply: Answer | RestError) -> bytes:
    """The file that says that `request`, in canonical form, was answered with `reply`."""
    document = {"version": 1, "digest": digest_of(request), "request": request, "reply": _written(reply)}
    # What no UTF-8 can hold becomes an escape of JSON.
    return json.dumps(document, ensure_ascii=False, indent=1).encode(errors="backslashreplace") + b"\n"


def read_recording(data: bytes, request: dict[str, Any]) -> Answer | RestError:
    """The reply in a file that should be about `request`. Raises `RecordingError`."""
    try:
        recording = _Recording.model_validate(read_document(data))
    except RestError as error:
        msg = "it is no JSON object"
        raise RecordingError(msg) from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        msg = f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        raise RecordingError(msg) from error
    if not recording.digest == digest_of(recording.request) == digest_of(request):
        msg = "its digest, its request and its name do not belong together"
        raise RecordingError(msg)
    reply = recording.reply
    return _refusal(reply) if isinstance(reply, _Refused) else _answer(reply)


class _Answered(Settings):
    kind: Literal["answer"]
    status: Literal[200]
    content_type: str = Field(pattern=r"^[!-~]+/[ -~]+$", max_length=200)
    document: Any = None
    base64: str | None = None


class _Refused(Settings):
    kind: Literal["refusal"]
    error_code: str
    detail: str


class _Recording(Settings):
    version: Literal[1]
    digest: str
    request: dict[str, Any]
    reply: Annotated[_Answered | _Refused, Field(discriminator="kind")]


def _written(reply: Answer | RestError) -> dict[str, Any]:
    if isinstance(reply, RestError):
        detail = reply.message.removeprefix(CODES[reply.code].message).strip()
        return {"kind": "refusal", "error_code": reply.code, "detail": detail}
    head = {"kind": "answer", "status": 200, "content_type": reply.content_type}
    try:
        document = json.loads(reply.body)
        is_same = json.dumps(document, allow_nan=False).encode() == reply.body
    except (ValueError, RecursionError):
        is_same = False
        document = None
    return head | ({"document": document} if is_same else {"base64": base64.b64encode(reply.body).decode("ascii")})


def _answer(reply: _Answered) -> Answer:
    if ("document" in reply.model_fields_set) == (reply.base64 is not None):
        msg = "reply: give exactly one of document and base64"
        raise RecordingError(msg)
    if reply.base64 is None:
        return Answer(reply.content_type, json.dumps(reply.document).encode())
    try:
        return Answer(reply.content_type, base64.b64decode(reply.base64, validate=True))
    except (binascii.Error, ValueError) as error:
        msg = "reply.base64: it is no base64"
        raise RecordingError(msg) from error


def _refusal(reply: _Refused) -> RestError:
    if reply.error_code not in CODES:
        msg = "reply.error_code: it is no code of the contract"
        raise RecordingError(msg)
    return RestError(reply.error_code, reply.detail)
