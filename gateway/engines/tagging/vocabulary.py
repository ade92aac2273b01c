"""All that a picture can be tagged with: one table for each source of evidence, and one tag for each name in them.

What two tables call by the same English name is one tag, so that the sources support each other and nothing is said twice.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.media import LocalizedText

TYPE_NAMES: Final = {
    "object": LocalizedText(zh="物体", en="object"),
    "scene": LocalizedText(zh="场景", en="scene"),
    "concept": LocalizedText(zh="概念", en="concept"),
}

_TABLES: Final = ("labels.tsv", "concepts.tsv", "detector_labels.tsv", "scenes.tsv")

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Label:
    """One thing that can be recognised."""

    name: LocalizedText
    type: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All labels, and which of them each source speaks of.

    `classes`, `detected` and `scenes` give the label of each output of the classifier, of the detectors and of the scene
    words. `ancestors[k]` lists what is true wherever label `k` is, the nearest first.
    """

    labels: tuple[Label, ...]
    ancestors: tuple[tuple[int, ...], ...]
    classes: Indices
    concepts: Indices
    detected: Indices
    scenes: Indices

    def membership(self) -> npt.NDArray[np.float64]:
        """Labels × classes: 1 where the class is the label or has it as an ancestor."""
        matrix = np.zeros((len(self.labels), len(self.classes)))
        for column, label in enumerate(self.classes):
            matrix[[label, *self.ancestors[label]], column] = 1.0
        return matrix


def load_vocabulary() -> Vocabulary:
    """Read the tables. Raises `ValueError` if they contradict each other."""
    tables = {name: _rows(name) for name in _TABLES}
    for position, row in enumerate(tables["labels.tsv"]):
        if int(row["index"]) != position:
            msg = f"labels.tsv: row {position} has index {row['index']}"
            raise ValueError(msg)
    names = {row["key"]: row["en"] for row in tables["concepts.tsv"]}
    labels: dict[str, Label] = {}
    parents: dict[str, str] = {}
    for table, rows in tables.items():
        for row in rows:
            _agree(table, row, labels.setdefault(row["en"], _label(row)) == _label(row))
            _agree(table, row, parents.setdefault(row["en"], row["parent"]) == row["parent"])
    places = {en: place for place, en in enumerate(labels)}

    def indices(table: str) -> Indices:
        return np.array([places[row["en"]] for row in tables[table]], dtype=np.intp)

    return Vocabulary(
        labels=tuple(labels.values()),
        ancestors=tuple(tuple(places[above] for above in _ancestors(en, parents, names)) for en in labels),
        classes=indices("labels.tsv"),
        concepts=indices("concepts.tsv"),
        detected=indices("detector_labels.tsv"),
        scenes=indices("scenes.tsv"),
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("gateway.engines") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _label(row: dict[str, str]) -> Label:
    if row["type"] not in TYPE_NAMES:
        msg = f"unknown type {row['type']!r}"
        raise ValueError(msg)
    return Label(name=LocalizedText(zh=row["zh"], en=row["en"]), type=row["type"])


def _agree(table: str, row: dict[str, str], agrees: bool) -> None:
    if not agrees:
        msg = f"{table}: {row['en']!r} is something else in another table"
        raise ValueError(msg)


def _ancestors(name: str, parents: dict[str, str], names: dict[str, str]) -> list[str]:
    """`parents` gives the key of a concept, `names` the concept's name."""
    chain: list[str] = []
    while key := parents[name]:
        if key not in names or names[key] in chain:
            msg = f"the parent {key!r} of {name!r} is unknown or its own ancestor"
            raise ValueError(msg)
        name = names[key]
        chain.append(name)
    return chain
