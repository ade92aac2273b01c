"""The OpenAPI document: well-formed, and of the whole face. Whether it is true: test_conformance.py."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.rest.app import build_app
from gateway.rest.codes import CODES, OWN
from gateway.rest.openapi import as_json, openapi_document
from gateway.rest.openapi_replies import codes_of
from gateway.rest.operations import OPERATIONS

DOCUMENT = openapi_document()
METHODS = {(path, method): operation for path, item in DOCUMENT["paths"].items() for method, operation in item.items()}

ELSEWHERE = {"APIG.0101", "AIS.0013"}
"""Codes of requests that are for no operation."""


def parts(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Every object within `value`, and where it is."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield path, value
    for name, member in members:
        yield from parts(member, (*path, name))


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        *_, kind, name = value["$ref"].split("/")
        value = DOCUMENT["components"][kind][name]
    return value


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema | {"components": DOCUMENT["components"]}, format_checker=FormatChecker())


def test_it_is_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


async def test_it_is_served_to_everybody(client) -> None:
    async with client.get("/openapi.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.text() == as_json(DOCUMENT)


def test_it_lists_what_the_application_serves_and_nothing_else(settings, use_cases, clock) -> None:
    routes = build_app(settings, use_cases, clock).router.routes()
    served = {(route.resource.canonical, route.method.lower()) for route in routes}
    assert set(METHODS) == served


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = [operation["operationId"] for operation in METHODS.values()]
    assert len(set(names)) == len(names)
    known = {tag["name"] for tag in DOCUMENT["tags"]}
    for operation in METHODS.values():
        assert operation["summary"]
        assert set(operation["tags"]) < known


def test_everything_is_described() -> None:
    kinds = {"properties", "schemas", "parameters", "headers", "securitySchemes", "responses", "tags"}
    checked = 0
    for path, part in parts(DOCUMENT):
        is_data = "value" in path or "oneOf" in path
        if not is_data and (kinds & set(path[-2:-1]) or path[-1:] == ("requestBody",) or "operationId" in part):
            assert "$ref" in part or part["description"], path
            checked += 1
    assert checked > 300


def test_examples_are_what_their_schemas_allow() -> None:
    counted = 0
    for path, part in parts(DOCUMENT):
        if "schema" in part and "examples" in part:  # a body
            for example in part["examples"].values():
                validator(part["schema"]).validate(resolved(example)["value"])
                counted += 1
        elif isinstance(part.get("examples"), list):  # a schema
            for example in part["examples"]:
                validator(part).validate(example)
                counted += 1
        if "default" in part and "type" in part:
            validator(part).validate(part["default"])
            counted += 1
        assert "example" not in part or "value" in part["example"], path
    assert counted > 200


def test_a_schema_takes_one_source_only() -> None:
    """As the samples send them: the other one may be there, but empty."""
    schema = METHODS["/v2/{project_id}/image/tagging", "post"]["requestBody"]["content"]["application/json"]["schema"]
    check = validator(schema)
    url = "https://example.org/cat.jpg"
    for good in ({"image": "AAAA"}, {"url": url}, {"image": "AAAA", "url": ""}, {"image": "", "url": url, "limit": 5}):
        assert check.is_valid(good), good
    for bad in (
        {},
        {"image": "", "url": ""},
        {"image": "AAAA", "url": url},
        {"url": url, "threshold": 101},
        {"url": url, "limit": 0.5},
    ):
        assert not check.is_valid(bad), bad


def test_the_codes_of_all_operations_are_those_that_the_face_produces() -> None:
    documented = set().union(*map(codes_of, OPERATIONS))
    assert documented | ELSEWHERE == OWN
    for operation in OPERATIONS:
        replies = METHODS[operation.path, "post"]["responses"]
        assert set(replies) == {"200"} | {str(CODES[code].status) for code in codes_of(operation)}
