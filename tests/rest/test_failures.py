import pytest

from gateway.engines.enhancement import MAX_UPSCALED_PIXELS, check_size
from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageFacts, ImageUri, UpscaleParameters
from gateway.rest.codes import OWN
from gateway.rest.failures import MUSIC, TAGGING, VISION

FAMILIES = pytest.mark.parametrize("family", [TAGGING, VISION, MUSIC], ids=["tagging", "vision", "music"])
CONTENT = ImageContent(b"x")
URL = ImageUri("https://example.org/cat.jpg")
SIGNED = ImageUri("https://bucket.obs.example/cat.jpg?AccessKeyId=AK&Expires=1800000000&Signature=s")

# Whose fault the request is: what is said of tagging, of enhancement, of music. None: not met there.
THE_REQUEST_S = {
    Reason.INVALID_ARGUMENT: ("AIS.0501", "AIS.0203", "AIS.0012"),
    Reason.IMAGE_EMPTY: ("AIS.0011", "AIS.0011", None),
    Reason.IMAGE_FORMAT_UNSUPPORTED: ("AIS.0502", "AIS.0202", None),
    Reason.IMAGE_DAMAGED: ("AIS.0503", "AIS.0201", None),
    Reason.IMAGE_REJECTED: ("AIS.0503", "AIS.0201", None),
    Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: ("AIS.0504", "AIS.0205", None),
    Reason.IMAGE_TOO_LARGE: ("AIS.0504", "AIS.0504", None),
    Reason.RESULT_TOO_LARGE: (None, "AIS.0205", None),
    Reason.MEDIA_UNSUPPORTED: (None, None, "AIS.0021"),
    Reason.MEDIA_DAMAGED: (None, None, "AIS.0105"),
    Reason.MEDIA_TOO_LARGE: (None, None, "AIS.0023"),
    Reason.URI_INVALID: ("AIS.0022", None, "AIS.0022"),
}

OF_DOWNLOADS = {
    Reason.URI_INVALID: "AIS.0022",
    Reason.URI_FORBIDDEN: "AIS.0022",
    Reason.URI_DOWNLOAD_FAILED: "AIS.0029",
    Reason.IMAGE_EMPTY: "AIS.0025",
    Reason.IMAGE_TOO_LARGE: "AIS.0023",
    Reason.MEDIA_TOO_LARGE: "AIS.0023",
}


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize(("position", "family"), list(enumerate([TAGGING, VISION, MUSIC])), ids=["tagging", "vision", "music"])
def test_every_reason_has_a_code_and_only_the_request_s_faults_a_detail(reason, position, family) -> None:
    code = THE_REQUEST_S.get(reason, (None, None, None))[position]
    error = family.error_of(GatewayError(reason, "detail of ours"), CONTENT)
    if code is not None:
        assert (error.code, "detail of ours" in error.message) == (code, True)
    elif reason not in THE_REQUEST_S:
        internal = reason is Reason.INTERNAL
        assert (error.code, "detail of ours" in error.message) == (family.internal if internal else family.failed, False)


@FAMILIES
@pytest.mark.parametrize("reason", Reason)
def test_every_code_is_one_that_this_face_answers(reason, family) -> None:
    for source in (CONTENT, URL, SIGNED):
        assert family.error_of(GatewayError(reason, "x", measured="HTTP 403"), source).code in OWN


@FAMILIES
@pytest.mark.parametrize(("reason", "code"), list(OF_DOWNLOADS.items()))
def test_a_file_behind_a_url_has_codes_of_its_own(family, reason, code) -> None:
    assert family.error_of(GatewayError(reason, "x"), URL).code == code


@pytest.mark.parametrize(
    ("source", "measured", "code"),
    [
        (SIGNED, "HTTP 403", "AIS.0024"),
        (SIGNED, "HTTP 401", "AIS.0024"),
        (SIGNED, "HTTP 404", "AIS.0029"),
        (SIGNED, "", "AIS.0029"),
        (URL, "HTTP 403", "AIS.0029"),
    ],
)
def test_that_a_signature_was_refused_is_told_where_there_is_one(source, measured, code) -> None:
    error = GatewayError(Reason.URI_DOWNLOAD_FAILED, "x", measured=measured)
    assert TAGGING.error_of(error, source).code == code


@pytest.mark.parametrize(
    ("measured", "allowed", "code"),
    [
        ("5000x3000 px", "15 to 4096 px", "AIS.0205"),
        ("8000x5 px", "15 to 4096 px", "AIS.0205"),
        ("20x5 px", "15 to 4096 px", "AIS.0504"),
        ("9000x9000 px", "at most 50000000 pixels", "AIS.0205"),
        ("", "", "AIS.0205"),
    ],
)
def test_a_side_that_is_too_short_is_not_over_the_limit(measured, allowed, code) -> None:
    error = GatewayError(Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE, "x", measured=measured, allowed=allowed)
    assert VISION.error_of(error, CONTENT).code == code


def test_what_would_be_enlarged_beyond_the_limit_is_over_it() -> None:
    facts = ImageFacts(format="png", width=4000, height=MAX_UPSCALED_PIXELS // 36_000 + 1, orientation=1, size_bytes=1)
    with pytest.raises(GatewayError) as caught:
        check_size(facts, UpscaleParameters())
    assert VISION.error_of(caught.value, CONTENT).code == "AIS.0205"
