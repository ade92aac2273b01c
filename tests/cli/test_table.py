import io

import pytest
from rich.console import Console

from gateway.cli.table import print_table
from gateway.client import TaggedItem
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, LocalizedText, Tag, TaggedImage, TaggingReply


def tagged(*names: str) -> TaggedImage:
    tags = tuple(Tag(name=name, confidence=91.6, type="object", localized_name=LocalizedText(zh=name)) for name in names)
    facts = ImageFacts("jpeg", 800, 600, 6, 103_000)
    return TaggedImage(reply=TaggingReply("local", tags, queue_time=5.0, work_time=0.04), facts=facts, prepare_time=0.002)


def printed(width: int, *items: TaggedItem) -> str:
    output = io.StringIO()
    print_table(items, Console(file=output, width=width))
    return output.getvalue()


FACTS = ("103 kB JPEG, 800×600, EXIF\u00a06", "untouched", "42")


@pytest.mark.parametrize("width", [60, 99, 100, 140])
def test_everything_is_shown_at_any_width(width) -> None:
    broken = GatewayError(Reason.IMAGE_EMPTY, "image has no bytes")
    text = printed(width, TaggedItem("photos/dog.jpg", tagged("德国牧羊犬", "狗")), TaggedItem("photos/empty.jpg", broken))
    for part in ("dog.jpg", *FACTS, "德国牧羊犬\u00a092, 狗\u00a092", "IMAGE_EMPTY: image has no bytes"):
        assert part in text
    assert "photos/" not in text
    assert all(len(line) <= width for line in text.splitlines())


def test_long_lists_are_cut_and_empty_ones_said() -> None:
    text = printed(120, TaggedItem("a", tagged(*"abcdef")), TaggedItem("b", tagged()))
    assert "d\u00a092 (+2)" in text
    assert "none above the threshold" in text


def test_files_of_the_same_name_are_told_apart() -> None:
    text = printed(120, TaggedItem("a/x.png", tagged("cat")), TaggedItem("b/x.png", tagged("dog")))
    assert "a/x.png" in text
    assert "b/x.png" in text
