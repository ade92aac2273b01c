"""One call on its way."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gateway.call import Call
from gateway.media import ImageUri
from gateway.upstream.forms import Body
from gateway.upstream.operations import Operation
from gateway.upstream.spending import Purse

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Form:
    """A picture that is sent as a form. `media_type`: such as `image/png`."""

    data: bytes
    media_type: str


Source = bytes | ImageUri | Form


@dataclass(slots=True)
class Course(Generic[P, R]):
    """What is wanted, and what has happened so far."""

    operation: Operation[P, R]
    source: Source
    parameters: P
    call: Call
    purse: Purse
    attempts: int = 0
    request_ids: list[str] = field(default_factory=list)
    queue_time: float = 0.0
    """Seconds."""

    def body(self, boundary: str) -> Body:
        """The request's body. Raises `GatewayError` for a source that the operation does not take."""
        if isinstance(self.source, Form):
            return self.operation.form(self.source.data, self.source.media_type, self.parameters, boundary)
        return self.operation.body(self.source, self.parameters)

    @property
    def data(self) -> bytes:
        """The file that is sent; nothing if a URL is."""
        match self.source:
            case Form(data):
                return data
            case bytes():
                return self.source
            case _:
                return b""
