"""The OpenAPI document of the REST face, made from the declarations of its operations, and the route that serves it."""

import json
from typing import Any, Final

from aiohttp import web

from gateway import __version__
from gateway.rest.failures import MUSIC, TAGGING, Family
from gateway.rest.openapi_identity import identity_paths
from gateway.rest.openapi_replies import JSON, codes_of, error_examples, error_replies, json_content, reply
from gateway.rest.openapi_schemas import EXAMPLE_IMAGE, PROJECT_ID, Schema, record, reference, schemas
from gateway.rest.operations import OPERATIONS, Operation
from gateway.rest.parameters import Parameter
from gateway.rest.source import MAX_BASE64_CHARS

PATH: Final = "/openapi.json"

_ABOUT: Final = """\
Image recognition, enhancement and recognition of background music, as a cloud's Image Recognition API, computed on the \
machine that serves this.

Requests must be under 12 MB. A path that is not listed here is answered 400 `APIG.0101`, another method 400 `AIS.0013`. In \
JSON, `null` and an empty string stand for a member that is left out, and what is not listed is ignored. What is not HTTP, or \
has a header over 64 KB, is answered 400 in plain text; all other replies carry `X-Request-Id`, under which the log tells about \
the request. With fault injection switched on, any code of the contract may come."""

_RESULTS: Final = {
    "image-tagging": "Tagging",
    "image-tagging-v1": "HistoricalTagging",
    "dark-enhance": "EnhancedImage",
    "defog": "EnhancedImage",
    "super-resolution": "EnhancedImage",
    "bgm-recognition": "Music",
    "media-tagging": "MediaTagging",
    "media-tagging-det": "LocatedTagging",
    "main-object-detection": "MainObjects",
}

_EXAMPLES: Final[dict[str, Any]] = {
    "image": EXAMPLE_IMAGE,
    "url": "https://bucket.obs.cn-east-3.myhuaweicloud.com/object",
}


def openapi_route() -> web.RouteDef:
    """GET /openapi.json, for everybody."""
    body = as_json(openapi_document()).encode()

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=JSON, charset="utf-8")

    return web.get(PATH, serve, allow_head=False)


def as_json(document: dict[str, Any]) -> str:
    """The document as a file holds it."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def openapi_document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "image-gateway, REST face",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document was got."}],
        "tags": [
            {"name": "Recognition", "description": "Tags and places of things in a picture."},
            {"name": "Enhancement", "description": "A picture for a picture."},
            {"name": "Music", "description": "Music in a video."},
            {"name": "Identity", "description": "Signing in; finding project and account."},
            {"name": "About", "description": "This document."},
        ],
        "security": [{"token": []}, {"signature": [], "signingTime": []}],
        "paths": {operation.path: {"post": _described(operation)} for operation in OPERATIONS}
        | identity_paths()
        | {PATH: {"get": _self_described()}},
        "components": {
            "schemas": schemas(),
            "parameters": _parameters(),
            "headers": _headers(),
            "examples": error_examples(),
            "securitySchemes": _security_schemes(),
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    named = ["ProjectId"] if "{project_id}" in operation.path else []
    return {
        "operationId": operation.name,
        "tags": [_tag(operation.family)],
        "summary": operation.title,
        "description": f"{operation.title}. Give {' or '.join(_sources(operation))}, exactly one.",
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in [*named, "XProjectId"]],
        "requestBody": {"required": True, "description": "What to work on, and how.", "content": _contents(operation)},
        "responses": {"200": _result(operation)} | error_replies(codes_of(operation)),
    }


def _tag(family: Family) -> str:
    return "Music" if family is MUSIC else "Recognition" if family is TAGGING else "Enhancement"


def _sources(operation: Operation) -> list[str]:
    return [f"`{source}`" for source in operation.sources] + (["a form's `file`"] if operation.takes_forms else [])


def _contents(operation: Operation) -> dict[str, Any]:
    parameters = {parameter.name: _schema_of(parameter) for parameter in operation.parameters}
    defaults = {parameter.name: parameter.default for parameter in operation.parameters}
    sources = {name: _source(name) for name in operation.sources}
    document = record("JSON.", sources | parameters, optional=(*sources, *parameters))
    document |= {"required": list(sources)} if len(sources) == 1 else {"oneOf": [_only(name, sources) for name in sources]}
    examples = {name: {"value": {name: _EXAMPLES[name]} | defaults} for name in sources}
    contents: dict[str, Any] = {JSON: {"schema": document, "examples": examples}}
    if operation.takes_forms:
        file = {"type": "string", "format": "binary", "description": "The picture's file."}
        form = record("A form (RFC 7578).", {"file": file} | parameters, optional=tuple(parameters))
        encoding = {"file": {"contentType": "image/jpeg, image/png, image/bmp, image/webp, application/octet-stream"}}
        contents["multipart/form-data"] = {"schema": form, "encoding": encoding}
    return contents


def _source(name: str) -> Schema:
    if name == "url":
        return {
            "type": "string",
            "format": "uri",
            "maxLength": 4096,
            "description": "Where it is downloaded from: HTTP or HTTPS.",
        }
    description = f"The file in base64; at most {MAX_BASE64_CHARS} characters, not counting line breaks, which may be anywhere."
    return {"type": "string", "contentEncoding": "base64", "format": "byte", "description": description}


def _only(name: str, sources: dict[str, Schema]) -> Schema:
    """That of `sources`, `name` is given and the others are not: left out, or empty as in the vendor's samples."""
    empty = {other: {"maxLength": 0} for other in sources if other != name}
    return {"required": [name], "properties": {name: {"minLength": 1}} | empty}


def _schema_of(parameter: Parameter) -> Schema:
    return parameter.schema() | {"description": parameter.meaning}


def _result(operation: Operation) -> dict[str, Any]:
    content = json_content(record("The result.", {"result": reference(_RESULTS[operation.name])}))
    if not operation.takes_forms:
        return reply("The result.", content)
    return reply("The result: JSON for JSON, the picture's file for a form.", content | {"image/jpeg": {}, "image/png": {}})


def _self_described() -> dict[str, Any]:
    content = {JSON: {"schema": {"type": "object", "description": "OpenAPI 3.1."}}}
    return {
        "operationId": "describe",
        "tags": ["About"],
        "summary": "This document",
        "description": "This document.",
        "security": [],
        "responses": {"200": reply("The document.", content)},
    }


def _parameters() -> dict[str, Any]:
    project = {"type": "string", "examples": [PROJECT_ID]}
    return {
        "ProjectId": {
            "name": "project_id",
            "in": "path",
            "required": True,
            "description": "The project's id, as GET /v3/projects tells it.",
            "schema": project,
        },
        "XProjectId": {
            "name": "X-Project-Id",
            "in": "header",
            "description": "The project's id: for signed requests of callers with several projects, where the path names none.",
            "schema": project,
        },
    }


def _headers() -> dict[str, Any]:
    meanings = {
        "X-Request-Id": "Names the request: 32 hexadecimal digits.",
        "X-IAM-Trace-Id": "As X-Request-Id.",
        "X-Subject-Token": "The token.",
    }
    headers: dict[str, Any] = {name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in meanings.items()}
    seconds = {"type": "integer", "minimum": 1}
    headers["Retry-After"] = {"description": "Seconds after which another attempt makes sense.", "schema": seconds}
    for header in headers.values():
        header["required"] = True
    return headers


def _security_schemes() -> dict[str, Any]:
    def in_header(name: str, description: str) -> dict[str, Any]:
        return {"type": "apiKey", "in": "header", "name": name, "description": description}

    signature = "`SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`, as the vendor's SDK makes it of AK and SK."
    return {
        "token": in_header("X-Auth-Token", "A token of POST /v3/auth/tokens, for a project."),
        "signature": in_header("Authorization", signature),
        "signingTime": in_header("X-Sdk-Date", "When it was signed, `YYYYMMDDTHHMMSSZ`, in UTC."),
    }
