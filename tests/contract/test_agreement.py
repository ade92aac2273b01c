"""Whoever does the work, the answers are the same."""

import pytest

from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    PreparedImage,
    Tag,
    TaggingParameters,
    UpscaleModel,
    UpscaleParameters,
)
from tests.contract.conftest import KINDS, Subject, opened

OTHERS = [kind for kind in KINDS if kind != "local"]


@pytest.fixture(params=OTHERS)
async def both(request, music_server):
    """The engines of this process, and another provider."""
    async with opened("local") as local, opened(request.param) as other:
        yield Subject(local, music_server), Subject(other, music_server)


@pytest.fixture
def picture(preparer, photos) -> PreparedImage:
    return preparer.check((photos / "dog.jpg").read_bytes())


def rounded(tag: Tag) -> tuple[object, ...]:
    """A tag to the decimals that go over the wire."""
    boxes = [(each.box, round(each.confidence, 2)) for each in tag.instances]
    return tag.name, round(tag.confidence, 2), tag.type, tag.localized_name, tag.localized_type, boxes


async def test_tags(both, picture) -> None:
    here, there = [(await subject.provider.tag(picture, TaggingParameters(threshold=1))).tags for subject in both]
    assert len(here) > 5
    assert [rounded(tag) for tag in here] == [rounded(tag) for tag in there]


@pytest.mark.parametrize(
    "parameters",
    [DarkEnhanceParameters(0.7), DefogParameters(2.0, natural_look=False), UpscaleParameters(4, UpscaleModel.SRCNN)],
    ids=["dark-enhance", "defog", "super-resolution"],
)
async def test_pictures(both, preparer, photos, parameters) -> None:
    small = preparer.check((photos / "clock.bmp").read_bytes())
    here, there = [await subject.provider.enhance(small, parameters) for subject in both]
    assert here.image == there.image
    assert here.facts == there.facts


async def test_music(both, tune) -> None:
    here, there = [(await subject.provider.recognize_music(subject.recording(tune, "tune.mp4"))).match.name for subject in both]
    assert here == there
