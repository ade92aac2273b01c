"""Whoever does the work, the answers are the same."""

import io

import pytest
import pytest_asyncio
from PIL import Image

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

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHERS = [kind for kind in KINDS if kind != "local"]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=OTHERS)
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
    file = io.BytesIO()
    with Image.open(photos / "clock.bmp") as clock:
        clock.crop((0, 0, 100, 90)).save(file, "BMP")  # of more than one tile
    small = preparer.check(file.getvalue())
    here, there = [await subject.provider.enhance(small, parameters) for subject in both]
    assert here.image == there.image
    assert here.facts == there.facts


async def test_music(both, tune) -> None:
    here, there = [(await subject.provider.recognize_music(subject.recording(tune, "tune.mp4"))).match.name for subject in both]
    assert here == there
