"""The table of labelled photographs: whole, fairly divided, without the same picture twice. Needs no network."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "bench" / "engines" / "tagging"
COLUMNS = ["half", "package", "path", "sha256", "shown", "unsure", "things"]
LEAST = 150


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (FOLDER / "photographs.tsv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        assert reader.fieldnames == COLUMNS
        return list(reader)


def test_has_enough_of_them_in_equal_halves(rows):
    halves = Counter(row["half"] for row in rows)
    assert set(halves) == {"tuning", "unseen"}
    assert halves.total() >= LEAST
    # A few turned out to be painted, after they had been divided.
    assert abs(halves["tuning"] - halves["unseen"]) <= 2


def test_each_package_is_in_both_halves_alike(rows):
    for package in {row["package"] for row in rows}:
        halves = Counter(row["half"] for row in rows if row["package"] == package)
        assert abs(halves["tuning"] - halves["unseen"]) <= 1, package


def test_no_photograph_is_there_twice(rows):
    assert len({(row["package"], row["path"]) for row in rows}) == len(rows)
    assert len({row["sha256"] for row in rows}) == len(rows)
    assert all(re.fullmatch(r"[0-9a-f]{16,64}", row["sha256"]) for row in rows)


def test_no_name_is_both_right_and_unsure(rows):
    for row in rows:
        shown, unsure = row["shown"].split("; "), row["unsure"].split("; ")
        assert len(set(shown)) == len(shown), row["path"]
        assert not set(shown) & set(unsure) - {""}, row["path"]


def test_boxes_lie_inside_the_picture(rows):
    things = [thing for row in rows for thing in row["things"].split("; ") if thing]
    assert things
    for thing in things:
        names, separator, corners = thing.rpartition(" @ ")
        assert names, thing
        assert separator, thing
        left, top, right, bottom = (float(corner) for corner in corners.split())
        assert 0 <= left < right <= 100, thing
        assert 0 <= top < bottom <= 100, thing


def test_credits_name_each_package_and_its_photographs(rows):
    text = (FOLDER / "CREDITS.md").read_text(encoding="utf-8")
    counts = re.findall(r"^\| `([^`]+)` \| (\d*) ?\| (\d*) ?\|", text, re.MULTILINE)
    credit = {package: int(first or 0) + int(second or 0) for package, first, second in counts}
    assert credit == Counter(row["package"] for row in rows)
