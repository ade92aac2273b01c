from gateway.cli.render import tagged_json
from gateway.client import TaggedItem
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import Box, ImageFacts, LocalizedText, Tag, TaggedImage, TaggingReply, TagInstance

CAT = Tag(
    name="猫",
    confidence=91.23456,
    type="object",
    localized_name=LocalizedText(zh="猫", en="cat"),
    instances=(TagInstance(Box(1.23456, 2, 3.5, 4), 88.888),),
)


def test_a_tagged_picture() -> None:
    tagged = TaggedImage(
        reply=TaggingReply("cloud", (CAT,), attempts=2, request_ids=("a", "b"), queue_time=0.001, work_time=0.25),
        facts=ImageFacts("jpeg", 800, 600, 6, 1234),
        actions=("fitted",),
        prepare_time=0.00002,
    )
    assert tagged_json(TaggedItem("cat.jpg", tagged)) == {
        "item_id": "cat.jpg",
        "tags": [
            {
                "tag": "猫",
                "confidence": 91.23,
                "type": "object",
                "i18n_tag": {"zh": "猫", "en": "cat"},
                "boxes": [{"left": 1.23, "top": 2, "width": 3.5, "height": 4, "confidence": 88.89}],
            }
        ],
        "image": {"format": "jpeg", "width": 800, "height": 600, "orientation": 6, "size_bytes": 1234},
        "preparation": ["fitted"],
        "provider": "cloud",
        "cache": "none",
        "attempts": 2,
        "upstream_request_ids": ["a", "b"],
        "milliseconds": {"prepare": 0.02, "queue": 1.0, "provider": 250.0},
    }


def test_a_picture_that_only_the_cloud_saw() -> None:
    rendered = tagged_json(TaggedItem("https://example.org/", TaggedImage(reply=TaggingReply("cloud", ()))))
    assert "image" not in rendered
    assert rendered["tags"] == []


def test_an_error() -> None:
    error = GatewayError(
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
        "too small",
        field="content",
        measured="14x14 px",
        allowed="15 to 4096 px",
        upstream=UpstreamDetail("AIS.0504", 400, "id"),
    )
    assert tagged_json(TaggedItem("x", error)) == {
        "item_id": "x",
        "error": {
            "code": "INVALID_ARGUMENT",
            "reason": "IMAGE_DIMENSIONS_OUT_OF_RANGE",
            "message": "too small",
            "field": "content",
            "measured": "14x14 px",
            "allowed": "15 to 4096 px",
            "upstream": {"error_code": "AIS.0504", "http_status": 400, "request_id": "id", "attempts": 0},
        },
    }


def test_an_error_without_details() -> None:
    assert tagged_json(TaggedItem("x", GatewayError(Reason.INTERNAL, "broken")))["error"] == {
        "code": "INTERNAL",
        "reason": "INTERNAL",
        "message": "broken",
    }
