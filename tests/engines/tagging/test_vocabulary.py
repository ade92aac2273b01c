import numpy as np
import pytest

from gateway.engines.tagging import vocabulary
from gateway.engines.tagging.vocabulary import Vocabulary, load_vocabulary


@pytest.fixture(scope="module")
def shipped() -> Vocabulary:
    return load_vocabulary()


def names(shipped: Vocabulary, indices) -> list[str]:
    return [shipped.labels[index].name.en for index in indices]


def place(shipped: Vocabulary, name: str) -> int:
    return names(shipped, range(len(shipped.labels))).index(name)


def test_concepts_cover_all_classes_below_them(shipped) -> None:
    membership = shipped.membership()

    def members(name: str) -> set[str]:
        return set(names(shipped, shipped.classes[membership[place(shipped, name)] > 0]))

    assert "German Shepherd" in members("dog")
    assert members("dog") < members("animal")
    assert "espresso" in members("drink")
    assert "espresso" not in members("animal")
    assert members("espresso") == {"espresso"}
    assert members("suitcase") == set()  # the classifier has no such class


def test_what_two_tables_name_alike_is_one_label(shipped) -> None:
    assert len({label.name.en for label in shipped.labels}) == len(shipped.labels)
    dog = place(shipped, "dog")
    assert dog in shipped.concepts
    assert dog == shipped.detected[16]
    assert place(shipped, "mountain") in set(shipped.concepts) & set(shipped.scenes)


def test_ancestors_are_told_from_the_nearest_on(shipped) -> None:
    assert names(shipped, shipped.ancestors[place(shipped, "German Shepherd")]) == ["sheepdog", "dog", "animal"]
    assert names(shipped, shipped.ancestors[place(shipped, "beach")]) == ["coast", "landscape"]


ROWS = {
    "concepts.tsv": [{"key": "animal", "en": "an animal", "zh": "动物", "type": "object", "parent": ""}],
    "labels.tsv": [{"index": "0", "en": "dog", "zh": "狗", "type": "object", "parent": "animal"}],
    "detector_labels.tsv": [{"index": "0", "en": "dog", "zh": "狗", "type": "object", "parent": "animal"}],
    "scenes.tsv": [{"en": "sky", "zh": "天空", "type": "scene", "parent": ""}],
}


def changed(table: str, change: dict[str, str]):
    return {name: [row | (change if name == table else {}) for row in rows] for name, rows in ROWS.items()}


def test_tables_give_the_labels_of_each_source(monkeypatch) -> None:
    monkeypatch.setattr(vocabulary, "_rows", ROWS.__getitem__)
    small = load_vocabulary()
    assert [label.name.en for label in small.labels] == ["dog", "an animal", "sky"]
    assert (small.classes.tolist(), small.concepts.tolist(), small.detected.tolist(), small.scenes.tolist()) == (
        [0],
        [1],
        [0],
        [2],
    )
    assert small.ancestors == ((1,), (), ())
    assert np.array_equal(small.membership(), [[1], [1], [0]])


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("labels.tsv", {"index": "1"}, "has index 1"),
        ("labels.tsv", {"parent": "nobody"}, "'dog' is something else in another table"),
        ("scenes.tsv", {"parent": "nobody"}, "'nobody' of 'sky' is unknown"),
        ("labels.tsv", {"type": "smell"}, "unknown type 'smell'"),
        ("concepts.tsv", {"parent": "animal"}, "its own ancestor"),
        ("detector_labels.tsv", {"zh": "猫"}, "'dog' is something else in another table"),
    ],
)
def test_tables_that_contradict_each_other_are_refused(monkeypatch, table, change, message) -> None:
    monkeypatch.setattr(vocabulary, "_rows", changed(table, change).__getitem__)
    with pytest.raises(ValueError, match=message):
        load_vocabulary()
