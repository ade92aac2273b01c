"""The face answers as its OpenAPI document says, whatever a generator that nobody here wrote makes of that document."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import requests
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from gateway.rest.app import build_app
from gateway.rest.listening import listening
from gateway.rest.openapi import openapi_document
from gateway.rest.openapi_schemas import PROJECT_ID
from gateway.rest.settings import RestSettings

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]

DOCUMENT = openapi_document()
JSON = "application/json"
SIGN_IN = DOCUMENT["paths"]["/v3/auth/tokens"]["post"]["requestBody"]["content"][JSON]["examples"]["example"]["value"]

REQUESTS = [
    pytest.param(path, example["value"], id=f"{path} {name}")
    for path, item in DOCUMENT["paths"].items()
    if "post" in item
    for name, example in item["post"]["requestBody"]["content"][JSON]["examples"].items()
]


class Face:
    """The face in a thread of its own: the generator's client blocks."""

    def __init__(self, build: Callable[[], web.Application]) -> None:
        self._build = build
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return self._on_loop(self._start()).result()

    def __exit__(self, *_: object) -> None:
        self._on_loop(self._listening.aclose()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _on_loop(self, work: Any) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _start(self) -> str:
        self._listening = contextlib.AsyncExitStack()
        return f"http://127.0.0.1:{await self._listening.enter_async_context(listening(self._build(), '127.0.0.1', 0))}"


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """The document, but replies may hold no more than it says: so no member can have been forgotten in it."""
    copy = json.loads(json.dumps(document))
    for name, schema in copy["components"]["schemas"].items():
        if name not in {"SignIn", "KeyRequest"}:
            _close(schema)
    return copy


def _close(schema: dict[str, Any]) -> None:
    if "properties" in schema:
        schema["additionalProperties"] = False
    for member in schema.get("properties", {}).values():
        _close(member)
    if "items" in schema:
        _close(schema["items"])


def configured() -> SchemathesisConfig:
    config = SchemathesisConfig()
    project = config.projects.default
    project.update(parameters={"path.project_id": PROJECT_ID, "header.X-Project-Id": PROJECT_ID})
    project.generation.update(max_examples=25, deterministic=True, database="none")
    return config


generated = schemathesis.openapi.from_dict(strict(DOCUMENT), config=configured())


@pytest.fixture
def settings() -> RestSettings:
    """The user and the project of the document's examples."""
    return RestSettings(user="someone", password="choose-one", domain="account")


@pytest.fixture
def face(settings, use_cases, clock) -> Iterator[str]:
    with Face(lambda: build_app(settings, use_cases, clock)) as address:
        yield address


@pytest.fixture
def session(face: str) -> Iterator[requests.Session]:
    """A client that has signed in."""
    with requests.Session() as opened:
        token = opened.post(f"{face}/v3/auth/tokens", json=SIGN_IN, timeout=10).headers["X-Subject-Token"]
        opened.headers.update({"X-Auth-Token": token, "X-Subject-Token": token})
        yield opened


@generated.parametrize()
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_the_answer_is_as_documented(case: Case, face: str, session: requests.Session) -> None:
    credentials = {name: session.headers[name] for name in ("X-Auth-Token", "X-Subject-Token")}
    response = case.call(base_url=face, session=session, headers=credentials)
    case.validate_response(response, checks=CHECKS)
    if response.status_code >= 400:
        check_code(case.path, response.status_code, response.json().get("error_code"))


def check_code(path: str, status: int, code: str | None) -> None:
    if code is not None and code != "AIS.0013":  # that is for another method: for no operation
        assert code in DOCUMENT["paths"][path]["post"]["responses"][str(status)]["content"][JSON]["examples"]


@pytest.mark.parametrize(("path", "body"), REQUESTS)
def test_every_request_that_is_shown_is_taken(path: str, body: dict[str, Any], face: str, session: requests.Session) -> None:
    response = session.post(face + path.format(project_id=PROJECT_ID), json=body, timeout=10)
    assert response.status_code in {200, 201}, response.text
