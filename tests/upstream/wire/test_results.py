"""The results that are small documents: music, main objects, celebrities, recaptured pictures."""

import json

import pytest
from multidict import CIMultiDict

from gateway.errors import GatewayError, Reason
from gateway.media import Box
from gateway.upstream.reply import HttpReply
from gateway.upstream.results import Authenticity, Celebrity, MainObject, MainObjectLabel, Recapture
from gateway.upstream.wire.celebrities import read_celebrities
from gateway.upstream.wire.music import read_music
from gateway.upstream.wire.objects import read_main_objects
from gateway.upstream.wire.recapture import read_recapture

OBJECT = {
    "label": "main_object_box",
    "location": {"width": "139.58", "height": "261.32", "top_left_x": "256.13", "top_left_y": "85.2"},
    "confidence": "88.5",
}
CELEBRITY = {"label": "Ada", "confidence": 0.97, "face_detail": {"x": 1, "y": 2, "w": 3, "h": 4}}
RECAPTURE = {
    "suggestion": "false",
    "category": "recapture",
    "score": "0.98",
    "detail": [{"label": "original", "confidence": "0.02"}, {"label": "recapture", "confidence": "0.98"}],
}
READERS = [read_music, read_main_objects, read_celebrities, read_recapture]


def reply(result: object) -> HttpReply:
    return HttpReply(200, CIMultiDict(), json.dumps({"result": result}).encode())


def test_music() -> None:
    assert read_music(reply({"audio_name": "harbour lights"})) == "harbour lights"


@pytest.mark.parametrize("result", [None, {}, {"audio_name": ""}, {"audio_name": None}])
def test_music_that_nobody_knows(result) -> None:
    assert read_music(reply(result)) is None


def test_main_objects() -> None:
    box = Box(left=256.13, top=85.2, width=139.58, height=261.32)
    assert read_main_objects(reply([OBJECT, OBJECT | {"label": "bounding_box", "confidence": 7}])) == (
        MainObject(MainObjectLabel.ALL, box, 88.5),
        MainObject(MainObjectLabel.OBJECT, box, 7.0),
    )
    assert read_main_objects(reply([])) == ()


def test_celebrities() -> None:
    assert read_celebrities(reply([CELEBRITY])) == (Celebrity("Ada", Box(left=1, top=2, width=3, height=4), 0.97),)
    assert read_celebrities(reply([])) == ()


def test_a_recaptured_picture() -> None:
    details = (("original", 0.02), ("recapture", 0.98))
    assert read_recapture(reply(RECAPTURE)) == Recapture(Authenticity.RECAPTURED, "recapture", 0.98, details)


def test_a_genuine_picture() -> None:
    assert read_recapture(reply({"suggestion": "true", "score": 0.9})) == Recapture(Authenticity.GENUINE, "", 0.9)


@pytest.mark.parametrize(
    ("read", "result"),
    [
        (read_music, {"audio_name": 7}),
        (read_music, {"audio_name": "\ud800"}),
        (read_music, ["x"]),
        (read_main_objects, None),
        (read_main_objects, {"a": 1}),
        (read_main_objects, [OBJECT | {"label": "box"}]),
        (read_main_objects, [OBJECT | {"confidence": "101"}]),
        (read_main_objects, [OBJECT | {"location": {"width": 1}}]),
        (read_main_objects, [OBJECT | {"location": OBJECT["location"] | {"width": "inf"}}]),
        (read_celebrities, [CELEBRITY | {"confidence": 1.1}]),
        (read_celebrities, [CELEBRITY | {"label": None}]),
        (read_celebrities, [CELEBRITY | {"face_detail": {"x": 1, "y": 2, "w": 3}}]),
        (read_recapture, RECAPTURE | {"suggestion": "perhaps"}),
        (read_recapture, RECAPTURE | {"score": "nan"}),
        (read_recapture, RECAPTURE | {"detail": [{"label": "original"}]}),
        *((read, result) for read in READERS for result in (7, "text", [7], True)),
        *((read, None) for read in READERS if read is not read_music),
    ],
)
def test_anything_else_is_a_bad_response(read, result) -> None:
    with pytest.raises(GatewayError) as caught:
        read(reply(result))
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}", b'{"result": {', b"[" * 100_000, b"\xff"])
def test_what_is_no_result_at_all(read, content) -> None:
    with pytest.raises(GatewayError) as caught:
        read(HttpReply(200, CIMultiDict(), content))
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE
