import json
import math
from pathlib import Path

import pytest

from gateway.call import CacheUse, Call
from gateway.cli.call import CallRequest, run_call
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import Box, ImageFacts, ImageUri, Language, LocalizedText, Tag, TaggingParameters, TagInstance
from gateway.upstream.client import Answer
from gateway.upstream.operations import OPERATIONS, Operation
from gateway.upstream.results import Authenticity, Picture, Recapture

URL = "https://example.org/cat.jpg?Signature=hunter2"


class Cloud:
    """Answers every call alike, and remembers them."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.calls: list[tuple[Operation, object, object, Call]] = []

    async def call(self, *call: object) -> Answer:
        self.calls.append(call)
        if isinstance(self.answer, GatewayError):
            raise self.answer
        return Answer(self.answer, 2, ("request-1", "request-2"), 0.25, 1.5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"a picture")
    return path


def printed(capsys: pytest.CaptureFixture) -> object:
    output = capsys.readouterr()
    assert output.err == ""
    return json.loads(output.out)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_every_operation_can_be_called_with_its_own_parameters(operation, file, capsys) -> None:
    cloud = Cloud(None)
    source = str(file) if operation.takes_content else URL
    assert await run_call(CallRequest(operation.name, source, as_json=True), cloud) == 0
    ((called, given, parameters, call),) = cloud.calls
    assert called is operation
    assert given == (b"a picture" if operation.takes_content else ImageUri(URL))
    # What the operation reads from its parameters is there, and can be set.
    fields = operation.fields(parameters)
    named = tuple(f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in fields.items())
    await run_call(CallRequest(operation.name, source, named, as_json=True), cloud)
    assert cloud.calls[1][2] == parameters
    assert (call.deadline, call.cache) == (math.inf, CacheUse.BYPASS)
    assert [json.loads(line)["operation"] for line in capsys.readouterr().out.splitlines()] == [operation.name] * 2


async def test_the_answer_and_how_it_came_about(file, capsys) -> None:
    tag = Tag("cat", 91.5, "object", LocalizedText(zh="猫", en="cat"), instances=(TagInstance(Box(1, 2, 3, 4), 90.0),))
    cloud = Cloud((tag,))
    request = CallRequest("image-tagging", str(file), ("language=en", "limit=3"), as_json=True, timeout=5.0)
    assert await run_call(request, cloud) == 0
    assert cloud.calls[0][2] == TaggingParameters(Language.EN, limit=3)
    assert 0 < cloud.calls[0][3].deadline < math.inf
    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert json.loads(output) == {
        "operation": "image-tagging",
        "result": [
            {
                "name": "cat",
                "confidence": 91.5,
                "type": "object",
                "localized_name": {"zh": "猫", "en": "cat"},
                "localized_type": {"zh": "", "en": ""},
                "instances": [{"box": {"left": 1, "top": 2, "width": 3, "height": 4}, "confidence": 90.0}],
            }
        ],
        "attempts": 2,
        "request_ids": ["request-1", "request-2"],
        "queue_time": 0.25,
        "work_time": 1.5,
    }


async def test_an_enumeration_is_printed_by_its_value(file, capsys) -> None:
    await run_call(
        CallRequest("recapture-detect", str(file)), Cloud(Recapture(Authenticity.GENUINE, "", 0.9, (("original", 0.9),)))
    )
    assert printed(capsys)["result"] == {
        "authenticity": "true",
        "category": "",
        "score": 0.9,
        "details": [["original", 0.9]],
    }


@pytest.mark.parametrize("written", [True, False])
async def test_a_picture_is_written_to_a_file_and_not_printed(written, file, tmp_path, capsys) -> None:
    out = tmp_path / "out.png"
    facts = ImageFacts("png", 30, 20, 1, 7)
    request = CallRequest("defog", str(file), out=out if written else None)
    assert await run_call(request, Cloud(Picture(b"\x89PNG...", facts))) == 0
    document = printed(capsys)
    assert document["result"] == {"format": "png", "width": 30, "height": 20, "orientation": 1, "size_bytes": 7}
    assert document.get("written") == (str(out) if written else None)
    assert out.exists() == written
    assert not written or out.read_bytes() == b"\x89PNG..."


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (CallRequest("tagging", "cat.jpg"), "there is no operation 'tagging'; there are: image-tagging, "),
        (CallRequest("defog", URL), "defog takes a file, not a URL"),
        (CallRequest("bgm-recognition", "clip.mp4"), "bgm-recognition takes a URL, not a file"),
        (CallRequest("image-tagging", "cat.jpg", ("threshold=101",)), "threshold is 101"),
        (CallRequest("image-tagging", "cat.jpg", ("version=v1",)), "there is no parameter 'version'"),
        (CallRequest("defog", "cat.jpg", out=Path("nowhere/out.png")), "cannot be written"),
        (CallRequest("defog", "cat.jpg", out=Path(__file__)), "cannot be written"),
    ],
)
async def test_a_wrong_command_spends_nothing(request_, message) -> None:
    cloud = Cloud(None)
    with pytest.raises(GatewayError) as caught:
        await run_call(request_, cloud)
    assert message in caught.value.message
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert cloud.calls == []


async def test_a_file_that_cannot_be_read_is_told_and_spends_nothing(tmp_path, capsys) -> None:
    cloud = Cloud(None)
    assert await run_call(CallRequest("defog", str(tmp_path / "none.jpg")), cloud) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert cloud.calls == []


REFUSED = GatewayError(
    Reason.UPSTREAM_NOT_ENABLED, "the service is not enabled", upstream=UpstreamDetail("AIS.0007", 400, "request-9", attempts=1)
)


@pytest.mark.parametrize("source", ["file", "url"])
async def test_what_the_cloud_refused_is_told_with_its_code(source, file, capsys) -> None:
    assert await run_call(CallRequest("image-tagging", URL if source == "url" else str(file)), Cloud(REFUSED)) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        f"image-gateway: image-tagging: {'the URL' if source == 'url' else file}: the service is not enabled",
        "  error_code=AIS.0007, http_status=400, request_id=request-9, attempts=1",
    ]


async def test_a_refusal_as_json(capsys) -> None:
    assert await run_call(CallRequest("image-tagging", URL, as_json=True), Cloud(REFUSED)) == 1
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert document["error"]["reason"] == "UPSTREAM_NOT_ENABLED"
    assert document["error"]["upstream"]["error_code"] == "AIS.0007"
    assert "hunter2" not in output.out + output.err
