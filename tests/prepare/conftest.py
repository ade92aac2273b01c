"""Ways to prepare a picture, and the memory limit that whoever changes it leaves as it was."""

from collections.abc import Callable, Iterator

import pytest

from gateway import _native
from gateway.errors import GatewayError
from gateway.media import PreparedImage
from gateway.prepare import Operation, PrepareOptions, Preparer

Prepare = Callable[..., PreparedImage]
Refusal = Callable[..., GatewayError]


@pytest.fixture(autouse=True)
def _same_memory_limit() -> Iterator[None]:
    limit, _ = _native.memory()
    yield
    _native.set_memory_limit(limit)
    assert _native.memory() == (limit, 0)


@pytest.fixture
def prepare(preparer: Preparer) -> Prepare:
    """Prepares `data` with the options named; checks what holds of every result."""

    def run(data: bytes, operation: Operation = Operation.TAGGING, **options: object) -> PreparedImage:
        image = preparer.prepare_now(data, operation, PrepareOptions(**options))
        if image.sent is None:
            assert image.data is data
            assert image.actions == ()
        else:
            assert image.actions != ()
            info = _native.validate(image.data)
            assert image.sent.format == info.format
            assert (image.sent.width, image.sent.height) == (info.width, info.height)
            assert (image.sent.orientation, image.sent.size_bytes) == (info.orientation, len(image.data))
        info = _native.probe(data)
        assert (image.facts.format, image.facts.width, image.facts.height) == (info.format, info.width, info.height)
        assert (image.facts.orientation, image.facts.size_bytes) == (info.orientation, len(data))
        return image

    return run


@pytest.fixture
def refusal(preparer: Preparer) -> Refusal:
    """Prepares `data`, which must be refused."""

    def run(data: bytes, operation: Operation = Operation.TAGGING, **options: object) -> GatewayError:
        with pytest.raises(GatewayError) as caught:
            preparer.prepare_now(data, operation, PrepareOptions(**options))
        assert caught.value.field == "content"
        assert isinstance(caught.value.__cause__, _native.ImageError)
        return caught.value

    return run


def names(image: PreparedImage) -> list[str]:
    """What was done, in order."""
    return [action.name for action in image.actions]
