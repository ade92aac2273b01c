"""The identity service's paths in the OpenAPI document."""

from typing import Any, Final

from gateway.rest.openapi_replies import JSON, json_content, reply
from gateway.rest.openapi_schemas import Schema, reference

_TAG: Final = "Identity"
_WHY: Final = {
    400: "The request is not of the documented form, or what its token stands for is gone.",
    401: "The credentials are wrong, have ended, or do not reach that far.",
    404: "The token in `X-Subject-Token` is refused.",
    413: "The body is too long.",
}

_SIGN_IN: Final = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "someone", "password": "choose-one", "domain": {"name": "account"}}},
        },
        "scope": {"project": {"name": "cn-east-3"}},
    }
}
_KEY_REQUEST: Final = {"auth": {"identity": {"methods": ["token"], "token": {"duration_seconds": 900}}}}


def identity_paths() -> dict[str, Any]:
    """The path items."""
    return {
        "/v3/auth/tokens": {"post": _issue_token(), "get": _show_token()},
        "/v3/projects": {"get": _list_projects()},
        "/v3/auth/domains": {
            "get": _operation("listDomains", "The caller's account", {200: _replied("Domains")}, refused=(400, 401)),
        },
        "/v3.0/OS-CREDENTIAL/securitytokens": {"post": _issue_key()},
    }


def _issue_token() -> dict[str, Any]:
    created = _replied("Token", ["X-Subject-Token"])
    operation = _operation("issueToken", "A token, by password or by token", {201: created}, refused=(400, 401, 413))
    return operation | {"security": [], "requestBody": _body("SignIn", _SIGN_IN)}


def _show_token() -> dict[str, Any]:
    subject = {
        "name": "X-Subject-Token",
        "in": "header",
        "required": True,
        "description": "The token that is asked about, of the caller's own account.",
        "schema": {"type": "string"},
    }
    shown = _replied("Token", ["X-Subject-Token"])
    operation = _operation("showToken", "What a token stands for", {200: shown}, refused=(400, 401, 404))
    return operation | {"parameters": [subject]}


def _list_projects() -> dict[str, Any]:
    name = {"name": "name", "in": "query", "description": "Only the project of that name.", "schema": {"type": "string"}}
    operation = _operation("listProjects", "The caller's projects", {200: _replied("Projects")}, refused=(400, 401))
    return operation | {"parameters": [name]}


def _issue_key() -> dict[str, Any]:
    operation = _operation("issueTemporaryKey", "A temporary access key", {201: _replied("Credential")}, refused=(400, 401, 413))
    # The token may stand in the body, too.
    return operation | {"security": [{"token": []}, {}], "requestBody": _body("KeyRequest", _KEY_REQUEST)}


def _operation(name: str, title: str, replies: dict[int, Any], refused: tuple[int, ...]) -> dict[str, Any]:
    refusals = {status: _identity_reply(_WHY[status], reference("IdentityError")) for status in refused}
    return {
        "operationId": name,
        "tags": [_TAG],
        "summary": title,
        "description": f"{title}. What is left out here is told in docs/rest-credentials.md.",
        "responses": {str(status): each for status, each in (replies | refusals).items()},
    }


def _replied(schema: str, headers: list[str] | None = None) -> dict[str, Any]:
    return _identity_reply("Done.", reference(schema), headers)


def _identity_reply(description: str, schema: Schema, headers: list[str] | None = None) -> dict[str, Any]:
    return reply(description, json_content(schema), ["X-IAM-Trace-Id", *(headers or [])])


def _body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": reference(schema), "examples": {"example": {"value": example}}}
    return {"required": True, "description": "JSON of at most 64 KB.", "content": {JSON: content}}
