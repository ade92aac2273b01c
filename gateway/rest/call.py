"""One call of an operation, read from a request's body."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from gateway.rest.document import read_document
from gateway.rest.errors import RestError
from gateway.rest.forms import read_form
from gateway.rest.operations import Operation
from gateway.rest.parameters import ParameterError, parse_all, read_all
from gateway.rest.source import Source, source_in_document, source_in_form


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation is to work on, and the values of all its parameters. `is_form`: it came as a form."""

    source: Source
    values: dict[str, Any]
    is_form: bool


def is_form(operation: Operation, content_type: str) -> bool:
    """Whether a body is read as a form. What is no form is taken for JSON, whatever its content type says."""
    return operation.takes_forms and content_type == "multipart/form-data"


def read_call(operation: Operation, content_type: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Read `body`. Raises `RestError`."""
    try:
        if is_form(operation, content_type):
            form = read_form(body, _boundary(headers))
            return Call(source_in_form(form), parse_all(operation.parameters, form.fields), is_form=True)
        document = read_document(body)
        source = source_in_document(document, operation.sources)
        return Call(source, read_all(operation.parameters, document), is_form=False)
    except ParameterError as error:
        raise RestError(operation.family.parameter, str(error)) from error


def _boundary(headers: Mapping[str, str]) -> str:
    message = Message()
    message["Content-Type"] = headers["Content-Type"]
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise RestError("AIS.0014", "(the form has no boundary)")
    return boundary
