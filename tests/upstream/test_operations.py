import json

import pytest
from multidict import CIMultiDict

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    ImageUri,
    Language,
    TaggingParameters,
    TaggingVersion,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.upstream import operations
from gateway.upstream.operations import (
    DARK_ENHANCE,
    DEFOG,
    MUSIC,
    OPERATIONS,
    SUPER_RESOLUTION,
    TAGGING,
    TAGGING_BY_VERSION,
    Operation,
    enhancement_of,
)
from gateway.upstream.parameters import (
    CelebrityParameters,
    MainObjectParameters,
    MediaDetectionParameters,
    MediaTaggingParameters,
    MusicParameters,
    RecaptureParameters,
)
from gateway.upstream.reply import HttpReply
from gateway.upstream.results import Authenticity, Recapture

PNG = _native.encode(bytes(30 * 20 * 3), 30, 20, format="png")
URL = ImageUri("https://example.com/a.jpg")
TAGS = {"tags": [{"tag": "", "i18n_tag": {"zh": "猫", "en": "cat"}, "confidence": "9"}]}

# name: path, parameters and the request fields that they make, a result
CONTRACT = {
    "image-tagging": (
        "/v2/p%2F7/image/tagging",
        TaggingParameters(),
        {"language": "zh", "threshold": 60.0, "limit": 50},
        TAGS,
    ),
    "image-tagging-v1": (
        "/v1.0/image/tagging",
        TaggingParameters(Language.EN, 0.0, 30, TaggingVersion.V1),
        {"language": "en", "threshold": 0.0, "limit": 30},
        TAGS,
    ),
    "dark-enhance": ("/v1.0/vision/dark-enhance", DarkEnhanceParameters(), {"brightness": 0.9}, None),
    "defog": ("/v1.0/vision/defog", DefogParameters(), {"gamma": 1.5, "natural_look": True}, None),
    "super-resolution": ("/v1.0/vision/super-resolution", UpscaleParameters(), {"scale": 3, "model": "ESPCN"}, None),
    "bgm-recognition": ("/v1.0/bgm/recognition", MusicParameters(), {}, {"audio_name": "x"}),
    "media-tagging": (
        "/v2/p%2F7/image/media-tagging",
        MediaTaggingParameters(),
        {"language": "zh", "threshold": 0.0, "limit": 10},
        TAGS,
    ),
    "media-tagging-det": (
        "/v2/p%2F7/image/media-tagging-det",
        MediaDetectionParameters(),
        {"language": "zh", "threshold": 20.0, "limit": 10},
        TAGS,
    ),
    "main-object-detection": ("/v3/p%2F7/image/main-object-detection", MainObjectParameters(), {"threshold": 30.0}, []),
    "celebrity-recognition": ("/v2/p%2F7/image/celebrity-recognition", CelebrityParameters(), {"threshold": 0.9}, []),
    "recapture-detect": (
        "/v2/p%2F7/image/recapture-detect",
        RecaptureParameters(),
        {"threshold": 0.95},
        {"suggestion": "true", "score": "0.9"},
    ),
}
each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def test_the_operations_are_the_contract_s() -> None:
    assert [operation.name for operation in OPERATIONS] == list(CONTRACT)
    assert {id(value) for value in vars(operations).values() if isinstance(value, Operation)} == {*map(id, OPERATIONS)}


@each
def test_the_request_says_all_parameters_even_the_defaults(operation) -> None:
    path, parameters, fields, _ = CONTRACT[operation.name]
    source = PNG if operation.takes_content else URL
    body = operation.body(source, parameters)
    document = json.loads(body.content)
    assert document.pop("image" if operation.takes_content else "url")
    assert json.dumps(document, sort_keys=True) == json.dumps(fields, sort_keys=True)
    outgoing = operation.outgoing("https://image.example.com", "p/7", body)
    assert (outgoing.method, outgoing.url) == ("POST", "https://image.example.com" + path)
    assert outgoing.headers == {"Content-Type": "application/json"}
    assert outgoing.body is body.content


@each
def test_each_reads_its_own_result(operation) -> None:
    _, parameters, _, result = CONTRACT[operation.name]
    if result is None:
        assert operation.read(HttpReply(200, CIMultiDict(), PNG), parameters).data == PNG
        return
    read = operation.read(HttpReply(200, CIMultiDict(), json.dumps({"result": result}).encode()), parameters)
    if result is TAGS:
        assert [tag.name for tag in read] == ["cat" if parameters.language is Language.EN else "猫"]
    else:
        assert (
            read
            == {
                "bgm-recognition": "x",
                "main-object-detection": (),
                "celebrity-recognition": (),
                "recapture-detect": Recapture(Authenticity.GENUINE, "", 0.9),
            }[operation.name]
        )


@each
def test_a_broken_result_is_a_bad_response(operation) -> None:
    with pytest.raises(GatewayError) as caught:
        operation.read(HttpReply(200, CIMultiDict(), b'{"result": '), CONTRACT[operation.name][1])
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE


@each
def test_what_it_does_not_take_is_refused(operation) -> None:
    parameters = CONTRACT[operation.name][1]
    attempts = [
        (operation.takes_content, "content", lambda: operation.body(PNG, parameters)),
        (operation.takes_url, "uri", lambda: operation.body(URL, parameters)),
        (operation.takes_form, "content", lambda: operation.form(PNG, "image/png", parameters, "b")),
    ]
    for takes, field, attempt in attempts:
        if takes:
            assert attempt().content
            continue
        with pytest.raises(GatewayError) as caught:
            attempt()
        assert (caught.value.reason, caught.value.field) == (Reason.INVALID_ARGUMENT, field)


def test_what_each_takes() -> None:
    takes = {operation.name: (operation.takes_content, operation.takes_url, operation.takes_form) for operation in OPERATIONS}
    enhancements = {"dark-enhance", "defog", "super-resolution"}
    for name, taken in takes.items():
        assert taken == ((True, False, True) if name in enhancements else (name != "bgm-recognition", True, False))


@pytest.mark.parametrize("operation", [DARK_ENHANCE, DEFOG, SUPER_RESOLUTION], ids=lambda operation: operation.name)
def test_a_form_holds_the_same_parameters(operation) -> None:
    _, parameters, fields, _ = CONTRACT[operation.name]
    body = operation.form(PNG, "image/png", parameters, "xyz")
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        assert f'name="{name}"\r\n\r\n{text}\r\n'.encode() in body.content
    assert operation.outgoing("http://h", "p", body).headers == {"Content-Type": "multipart/form-data; boundary=xyz"}


def test_formats_and_sides() -> None:
    limits = {operation.name: operation.limits for operation in OPERATIONS}
    assert MUSIC.limits is None
    assert TAGGING.limits.formats == ("jpeg", "png", "bmp", "webp")
    without_webp = {name for name, limit in limits.items() if limit and "webp" not in limit.formats}
    assert without_webp == {
        "super-resolution",
        "media-tagging",
        "main-object-detection",
        "celebrity-recognition",
        "recapture-detect",
    }
    wide = {name for name, limit in limits.items() if limit and (limit.min_side, limit.max_side) == (1, 10_000)}
    assert wide == {"media-tagging-det", "main-object-detection"}


def test_each_version_and_each_enhancement_has_its_operation() -> None:
    assert {version: operation.name for version, operation in TAGGING_BY_VERSION.items()} == {
        TaggingVersion.V1: "image-tagging-v1",
        TaggingVersion.V2: "image-tagging",
    }
    assert enhancement_of(DarkEnhanceParameters(0.1)) is DARK_ENHANCE
    assert enhancement_of(DefogParameters(2.0)) is DEFOG
    assert enhancement_of(UpscaleParameters(4, UpscaleModel.SRCNN)) is SUPER_RESOLUTION
