import pytest

from gateway.engines import labels
from gateway.engines.labels import load_vocabulary


def test_concepts_cover_all_classes_below_them() -> None:
    vocabulary = load_vocabulary()
    names = [label.name.en for label in vocabulary.concepts]
    members = {
        name: {vocabulary.classes[index].name.en for index in found}
        for name, found in zip(names, vocabulary.members, strict=True)
    }
    assert "German Shepherd" in members["dog"]
    assert members["dog"] < members["animal"]
    assert "espresso" in members["drink"]
    assert "espresso" not in members["animal"]


ROWS = {
    "concepts.tsv": [{"key": "animal", "en": "animal", "zh": "动物", "type": "object", "parent": ""}],
    "labels.tsv": [{"index": "0", "en": "dog", "zh": "狗", "type": "object", "parent": "animal"}],
}


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("labels.tsv", {"index": "1"}, "has index 1"),
        ("labels.tsv", {"parent": "nobody"}, "'nobody' is unknown"),
        ("labels.tsv", {"type": "smell"}, "unknown type 'smell'"),
        ("concepts.tsv", {"parent": "animal"}, "its own ancestor"),
    ],
)
def test_tables_that_contradict_each_other_are_refused(monkeypatch, table, change, message) -> None:
    changed = {name: [row | (change if name == table else {}) for row in rows] for name, rows in ROWS.items()}
    monkeypatch.setattr(labels, "_rows", changed.__getitem__)
    with pytest.raises(ValueError, match=message):
        load_vocabulary()
