"""Replies in the OpenAPI document: results, and the errors that can come instead, by their HTTP status."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from gateway.rest.codes import CODES
from gateway.rest.failures import Family
from gateway.rest.openapi_schemas import Schema, example_of, reference
from gateway.rest.operations import Operation

JSON: Final = "application/json"

_OF_CALLERS: Final = (
    "AIS.0002",
    "AIS.0004",
    "AIS.0007",
    "AIS.0026",
    "AIS.0027",
    "AIS.0032",
    "AIP.0003",
    "APIG.0301",
    "APIG.0308",
)
_OF_BODIES: Final = ("AIS.0011", "AIS.0012", "AIS.0014", "AIS.0020")
_OF_SOURCES: Final = {
    "image": ("AIS.0015", "AIS.0504"),
    "url": ("AIS.0022", "AIS.0023", "AIS.0024", "AIS.0025", "AIS.0029"),
}


def codes_of(operation: Operation) -> list[str]:
    """The codes that a call of `operation` can be answered with, sorted."""
    family: Family = operation.family
    codes = {family.parameter, family.failed, family.internal, *family.by_reason.values(), *_OF_CALLERS, *_OF_BODIES}
    for source in operation.sources:
        codes |= set(_OF_SOURCES[source])
    if "{project_id}" not in operation.path:
        codes.add("AIS.0010")
    return sorted(codes)


def error_examples() -> dict[str, Any]:
    """An example of every code, by the code."""
    return {
        code: {"summary": message, "value": {"error_code": code, "error_msg": message}} for code, (_, message) in CODES.items()
    }


def reply(description: str, content: dict[str, Any], headers: Iterable[str] = ()) -> dict[str, Any]:
    """One reply. `headers` are names of components besides the request's id, which all replies have."""
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *headers)}
    return {"description": description, "headers": named, "content": content}


def json_content(schema: Schema) -> dict[str, Any]:
    """A body in JSON, with an example."""
    return {JSON: {"schema": schema, "examples": {"example": {"value": example_of(schema)}}}}


def error_replies(codes: Iterable[str]) -> dict[str, Any]:
    """The replies that say `codes`, by status."""

    def status(code: str) -> int:
        return CODES[code].status

    replies = {}
    for of_status, grouped in groupby(sorted(codes, key=status), key=status):
        group = list(grouped)
        lines = [f"- `{code}`: {CODES[code].message}" for code in group]
        examples = {code: {"$ref": f"#/components/examples/{code}"} for code in group}
        content = {JSON: {"schema": reference("Error"), "examples": examples}}
        replies[str(of_status)] = reply("\n".join(lines), content, ["Retry-After"] if of_status == 429 else [])
    return replies
