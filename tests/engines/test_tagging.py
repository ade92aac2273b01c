"""The real model on real photographs, and the arithmetic around it on made-up scores."""

import numpy as np
import pytest

from gateway import _native
from gateway.engines import model
from gateway.engines.model import CLASSES, INPUT_SIDE, Classifier
from gateway.engines.tagging import TaggingEngine
from gateway.media import Language, TaggingParameters


@pytest.fixture(scope="module")
def engine() -> TaggingEngine:
    return TaggingEngine()


def pixels(data: bytes) -> np.ndarray:
    raw = _native.classifier_input(data, resize=256, crop=INPUT_SIDE)
    return np.frombuffer(raw, dtype=np.uint8).reshape(INPUT_SIDE, INPUT_SIDE, 3)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("bee.jpg", {"bee", "insect"}),
        ("castle.jpg", {"castle", "building"}),
        ("cat.png", {"cat"}),
        ("clock.bmp", {"wall clock", "clock"}),
        ("dog.jpg", {"German Shepherd", "dog", "animal"}),
        ("espresso.jpg", {"espresso"}),
        ("hens.webp", {"hen", "chicken", "bird"}),
        ("mountains.jpg", {"mountain", "landscape"}),
        ("paintbrushes.webp", {"paintbrush"}),
        ("phone-dogs.jpg", {"dog"}),  # stored on its side: wrong unless the EXIF orientation is heeded
        ("stream.webp", {"valley", "landscape"}),
    ],
)
def test_photographs_get_tags_that_are_right(engine, photos, file, expected) -> None:
    tags = engine.tag(pixels((photos / file).read_bytes()), TaggingParameters(language=Language.EN))
    assert expected <= {tag.name for tag in tags}


def test_tags_are_named_typed_and_ranked(engine, dog) -> None:
    tags = engine.tag(pixels(dog), TaggingParameters(language=Language.ZH, threshold=1))
    assert [tag.confidence for tag in tags] == sorted((tag.confidence for tag in tags), reverse=True)
    assert all(1 <= tag.confidence <= 100 for tag in tags)
    named = {tag.name: tag for tag in tags}
    assert named["狗"].localized_name.en == "dog"
    assert (named["狗"].type, named["狗"].localized_type.zh) == ("object", "物体")
    assert named["狗"].instances == ()


def test_threshold_and_limit_cut_the_list(engine, dog) -> None:
    everything = engine.tag(pixels(dog), TaggingParameters(threshold=0, limit=150))
    assert len(everything) == 150
    assert engine.tag(pixels(dog), TaggingParameters(threshold=0, limit=2)) == everything[:2]
    sure = engine.tag(pixels(dog), TaggingParameters(threshold=90))
    assert sure == tuple(tag for tag in everything if tag.confidence >= 90)
    assert engine.tag(pixels(dog), TaggingParameters(threshold=100)) == ()


def scored(engine, monkeypatch, shares: dict[int, float]) -> dict[str, float]:
    """Tags for a classifier that gives those classes those shares, and the others equal parts of the rest."""
    rest = (1 - sum(shares.values())) / (CLASSES - len(shares))
    logits = np.log(np.full(CLASSES, rest, dtype=np.float32))
    for index, share in shares.items():
        logits[index] = np.log(share)
    monkeypatch.setattr(engine._classifier, "logits", lambda _: logits[np.newaxis])
    square = np.zeros((INPUT_SIDE, INPUT_SIDE, 3), dtype=np.uint8)
    tags = engine.tag(square, TaggingParameters(language=Language.EN, threshold=0, limit=150))
    return {tag.name: tag.confidence for tag in tags}


def test_a_concept_is_as_sure_as_its_classes_together(engine, monkeypatch) -> None:
    tags = scored(engine, monkeypatch, {281: 0.3, 282: 0.3, 285: 0.3})  # three kinds of cat
    assert tags["cat"] == pytest.approx(90, abs=0.01)
    assert tags["tabby cat"] == pytest.approx(30, abs=0.01)


def test_crumbs_are_no_evidence(engine, monkeypatch) -> None:
    tags = scored(engine, monkeypatch, {967: 0.5})  # half espresso; four tenths of the other half are animals
    assert tags["drink"] == pytest.approx(50, abs=0.01)
    assert tags.get("animal", 0) == 0


def test_of_equals_the_narrower_comes_first(engine, monkeypatch) -> None:
    assert list(scored(engine, monkeypatch, {967: 0.9}))[:2] == ["espresso", "drink"]


def test_the_self_test_notices_a_model_that_does_not_compute(engine, monkeypatch) -> None:
    engine.self_test()
    monkeypatch.setattr(engine._classifier, "logits", lambda _: np.full((1, CLASSES), np.nan, dtype=np.float32))
    with pytest.raises(ValueError, match="finite"):
        engine.self_test()


def test_a_damaged_model_file_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(model, "_MODEL", "labels.tsv")
    with pytest.raises(ValueError, match="damaged"):
        Classifier()
