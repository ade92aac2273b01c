"""The reviewed tables of tag names: the classifier's classes, and the broader concepts above them."""

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from gateway.media import LocalizedText

TYPE_NAMES: Final = {
    "object": LocalizedText(zh="物体", en="object"),
    "scene": LocalizedText(zh="场景", en="scene"),
    "concept": LocalizedText(zh="概念", en="concept"),
}


@dataclass(frozen=True, slots=True)
class Label:
    """One thing that can be recognised."""

    name: LocalizedText
    type: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All labels: the classifier's classes by index, then the concepts.

    `members[k]` lists the class indices that concept `k` covers, directly or through narrower concepts.
    """

    classes: tuple[Label, ...]
    concepts: tuple[Label, ...]
    members: tuple[tuple[int, ...], ...]


def load_vocabulary() -> Vocabulary:
    """Read both tables. Raises `ValueError` if they contradict each other."""
    concept_rows = _rows("concepts.tsv")
    class_rows = _rows("labels.tsv")
    parents = {row["key"]: row["parent"] for row in concept_rows}
    members: dict[str, list[int]] = {key: [] for key in parents}
    for position, row in enumerate(class_rows):
        if int(row["index"]) != position:
            msg = f"labels.tsv: row {position} has index {row['index']}"
            raise ValueError(msg)
        for key in _ancestors(row["parent"], parents):
            members[key].append(position)
    return Vocabulary(
        classes=tuple(_label(row) for row in class_rows),
        concepts=tuple(_label(row) for row in concept_rows),
        members=tuple(tuple(members[row["key"]]) for row in concept_rows),
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("gateway.engines") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _ancestors(key: str, parents: dict[str, str]) -> list[str]:
    chain: list[str] = []
    while key:
        if key not in parents or key in chain:
            msg = f"concepts.tsv: {key!r} is unknown or its own ancestor"
            raise ValueError(msg)
        chain.append(key)
        key = parents[key]
    return chain


def _label(row: dict[str, str]) -> Label:
    if row["type"] not in TYPE_NAMES:
        msg = f"unknown type {row['type']!r}"
        raise ValueError(msg)
    return Label(name=LocalizedText(zh=row["zh"], en=row["en"]), type=row["type"])
