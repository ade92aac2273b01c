import pytest

from gateway.cli.places import Place, places
from gateway.media import Box, LocalizedText, Tag, TagInstance

DOG = Box(100, 100, 300, 200)
NEARLY = Box(95, 104, 310, 200)
ELSEWHERE = Box(450, 120, 120, 180)


def tag(name: str, *instances: tuple[Box, float]) -> Tag:
    seen = tuple(TagInstance(*instance) for instance in instances)
    return Tag(name=name, confidence=99.0, type="object", localized_name=LocalizedText(en=name), instances=seen)


def test_a_box_that_tags_share_is_one_place_with_the_narrowest_name() -> None:
    tags = [tag("animal", (NEARLY, 97)), tag("dog", (DOG, 96)), tag("terrier", (DOG, 90))]
    assert places(tags) == places(tags[::-1]) == (Place(DOG, "terrier"),)


def test_a_narrow_name_that_is_a_guess_is_not_taken() -> None:
    assert places([tag("animal", (NEARLY, 97)), tag("dog", (DOG, 96)), tag("terrier", (DOG, 60))]) == (Place(DOG, "dog"),)


def test_distinct_things_keep_their_places_the_most_confident_first() -> None:
    tags = [tag("outdoor"), tag("dog", (DOG, 80), (ELSEWHERE, 95)), tag("ball", (Box(100, 100, 30, 30), 85))]
    assert places(tags) == (Place(ELSEWHERE, "dog"), Place(Box(100, 100, 30, 30), "ball"), Place(DOG, "dog"))


@pytest.mark.parametrize("size", [(0, 0), (0, 40), (40, 0)])
def test_a_box_without_area_is_no_place(size) -> None:
    assert places([tag("speck", (Box(5, 5, *size), 90)), tag("dog", (DOG, 80))]) == (Place(DOG, "dog"),)
