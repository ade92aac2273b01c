"""The labelled photographs: 350 free ones out of Debian's packages, half for tuning, half for measuring alone.

`photographs.tsv` has a row for each: its half, where it is, the beginning of its SHA-256, the English names of what it shows,
names that are neither right nor wrong for it, and the boxes of its main things. How they were labelled is told
in docs/engines/tagging.md. What a name implies by the tables of concepts need not be written.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.debian import unpacked
from bench.qt_resources import read
from gateway.engines.tagging.vocabulary import Vocabulary

HALVES = ("tuning", "unseen")

_FIRST_SET = 230
"""Rows of the first set, which go before the others."""

Thing = tuple[frozenset[str], tuple[float, float, float, float]]
"""The names that are right for a thing, and its box: left, top, right, bottom, in parts of the picture's sides."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """`shown` and `unsure` with all that they imply; `things` likewise. `is_later`: of the second set, labelled by somebody else,
    who had never seen what the engine says."""

    data: bytes
    name: str
    shown: frozenset[str]
    unsure: frozenset[str]
    things: tuple[Thing, ...]
    is_later: bool


def photographs(half: str, vocabulary: Vocabulary) -> Iterator[Photograph]:
    """Those of one of `HALVES`. Raises `SystemExit` if a package has another picture at its place, or a name is not one."""
    for number, row in enumerate(rows("photographs.tsv")):
        if row["half"] != half:
            continue
        data = content(row["package"], row["path"])
        if not hashlib.sha256(data).hexdigest().startswith(row["sha256"]):
            msg = f"{row['package']}: {row['path']} is not the picture that was labelled"
            raise SystemExit(msg)
        shown = implied(_split(row["shown"]), vocabulary)
        yield Photograph(
            data=data,
            name=row["path"].rsplit("/", 1)[-1],
            shown=shown,
            unsure=implied(_split(row["unsure"]), vocabulary) - shown,
            things=tuple(_thing(text, vocabulary) for text in _split(row["things"])),
            is_later=number >= _FIRST_SET,
        )


def rows(table: str) -> list[dict[str, str]]:
    """A table of this folder."""
    with (Path(__file__).parent / table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def content(package: str, path: str) -> bytes:
    """A file of a Debian package; of what lies in a Qt resource file, `path` has its own path after an exclamation mark."""
    outer, _, inner = path.partition("!")
    # Where a folder is named after the kind of processor, the path has an asterisk.
    (file,) = unpacked(package).glob(outer)
    return _resources(file)[inner] if inner else file.read_bytes()


@cache
def _resources(file: Path) -> dict[str, bytes]:
    return read(file)


def implied(names: list[str], vocabulary: Vocabulary) -> frozenset[str]:
    """Names with those of all labels above them. Raises `SystemExit` for a name that no tag has."""
    places = {label.name.en: place for place, label in enumerate(vocabulary.labels)}
    if unknown := set(names) - set(places):
        msg = f"no tag is called {', '.join(sorted(unknown))}"
        raise SystemExit(msg)
    above = {vocabulary.labels[label].name.en for name in names for label in vocabulary.ancestors[places[name]]}
    return frozenset(names) | above


def _split(cell: str) -> list[str]:
    return [part for part in cell.split("; ") if part]


def _thing(text: str, vocabulary: Vocabulary) -> Thing:
    names, _, corners = text.rpartition(" @ ")
    left, top, right, bottom = (int(value) / 100 for value in corners.split())
    return implied(names.split(" / "), vocabulary), (left, top, right, bottom)
