"""The real models on real photographs, as the provider decodes them."""

import threading

import numpy as np
import pytest

from gateway.engines.picture import decoded
from gateway.engines.steps import Cancelled
from gateway.engines.tagging import TaggingEngine
from gateway.engines.tagging.classifier import CELLS, CLASSES
from gateway.media import Language, TaggingParameters

ENGLISH = TaggingParameters(language=Language.EN)


@pytest.fixture(scope="module")
def engine() -> TaggingEngine:
    return TaggingEngine()


def pixels(data: bytes) -> np.ndarray:
    return decoded(data, max_side=TaggingEngine.WORKING_SIDE, max_pixels=10_000_000)[0]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("bee.jpg", {"bee", "insect", "animal"}),
        ("castle.jpg", {"castle", "building", "outdoor"}),
        ("cat.png", {"cat", "animal"}),
        ("clock.bmp", {"clock"}),
        ("dog.jpg", {"German Shepherd", "dog", "animal"}),
        ("espresso.jpg", {"espresso", "drink"}),
        ("hens.webp", {"hen", "chicken", "bird"}),
        ("mountains.jpg", {"mountain", "landscape", "sky", "outdoor"}),
        ("paintbrushes.webp", {"paintbrush"}),
        ("phone-dogs.jpg", {"dog"}),  # stored on its side: wrong unless the EXIF orientation is heeded
        ("stream.webp", {"valley", "landscape", "tree", "outdoor"}),
    ],
)
def test_photographs_get_tags_that_are_right(engine, photos, file, expected) -> None:
    tags = engine.tag(pixels((photos / file).read_bytes()), ENGLISH)
    assert expected <= {tag.name for tag in tags}


@pytest.mark.parametrize(("file", "wrong"), [("cat.png", {"dog", "sky"}), ("paintbrushes.webp", {"animal", "sandwich"})])
def test_what_one_detector_alone_makes_up_is_no_tag(engine, photos, file, wrong) -> None:
    tags = engine.tag(pixels((photos / file).read_bytes()), ENGLISH)
    assert not wrong & {tag.name for tag in tags}


def test_tags_are_named_typed_and_ranked(engine, dog) -> None:
    tags = engine.tag(pixels(dog), TaggingParameters(language=Language.ZH, threshold=1))
    assert [tag.confidence for tag in tags] == sorted((tag.confidence for tag in tags), reverse=True)
    assert all(1 <= tag.confidence <= 100 for tag in tags)
    assert len({tag.name for tag in tags}) == len(tags)
    named = {tag.name: tag for tag in tags}
    assert named["狗"].localized_name.en == "dog"
    assert (named["狗"].type, named["狗"].localized_type.zh) == ("object", "物体")
    assert (named["户外"].type, named["户外"].instances) == ("scene", ())


def test_of_equals_the_narrower_comes_first(engine, dog) -> None:
    names = [tag.name for tag in engine.tag(pixels(dog), ENGLISH)]
    assert names.index("dog") < names.index("animal")


def test_the_dog_is_where_it_sits(engine, dog) -> None:
    tags = {tag.name: tag for tag in engine.tag(pixels(dog), ENGLISH)}
    (instance,) = tags["dog"].instances
    box = instance.box
    # By eye, in the picture as decoded: 640 pixels wide, eight tenths of the file's.
    assert (box.left, box.top) == pytest.approx((30, 15), abs=30)
    assert (box.left + box.width, box.top + box.height) == pytest.approx((565, 468), abs=30)
    assert instance.confidence > 80
    assert tags["animal"].instances[0].box.left == pytest.approx(box.left, abs=15)


def test_boxes_lie_in_the_picture_whatever_its_shape(engine, photos) -> None:
    hens = pixels((photos / "hens.webp").read_bytes())
    for picture in (hens, hens[:, :60], hens[:40], np.ascontiguousarray(hens[:15, :15])):
        height, width = picture.shape[:2]
        for tag in engine.tag(picture, TaggingParameters(threshold=0, limit=150)):
            for box in (instance.box for instance in tag.instances):
                assert 0 <= box.left <= box.left + box.width <= width
                assert 0 <= box.top <= box.top + box.height <= height


def test_threshold_and_limit_cut_the_list(engine, dog) -> None:
    everything = engine.tag(pixels(dog), TaggingParameters(threshold=0, limit=150))
    assert len(everything) == 150
    assert engine.tag(pixels(dog), TaggingParameters(threshold=0, limit=2)) == everything[:2]
    sure = engine.tag(pixels(dog), TaggingParameters(threshold=90))
    assert sure == tuple(tag for tag in everything if tag.confidence >= 90)
    assert engine.tag(pixels(dog), TaggingParameters(threshold=100)) == ()


def test_threads_do_not_disturb_each_other(engine, dog, photos) -> None:
    pictures = [pixels(dog), pixels((photos / "hens.webp").read_bytes())]
    alone = [engine.tag(picture, ENGLISH) for picture in pictures]
    together: dict[int, tuple] = {}

    def work(index: int) -> None:
        together[index] = engine.tag(pictures[index % 2], ENGLISH)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[index] for index in range(4)] == alone * 2


def test_work_that_nobody_waits_for_is_given_up_between_networks(engine, dog) -> None:
    calls = 0

    def checkpoint() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.tag(pixels(dog), ENGLISH, checkpoint)
    assert calls == 3


def test_the_self_test_notices_a_model_that_does_not_compute(engine, monkeypatch) -> None:
    engine.self_test()
    classifier = engine._observer.classifier
    nothing = np.full((1, CELLS, CELLS, CLASSES), np.nan, dtype=np.float32)
    monkeypatch.setattr(classifier, "scores", lambda _: (nothing[:, 0, 0], nothing))
    with pytest.raises(ValueError, match="finite"):
        engine.self_test()
