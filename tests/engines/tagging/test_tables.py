"""The shipped tables of names, and the checksums of the shipped models."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "gateway" / "engines" / "data"
TYPES = {"object", "scene", "concept"}
CJK = re.compile(r"[\u4e00-\u9fff]")
KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

Row = dict[str, str]


def _read(name: str, header: list[str]) -> list[Row]:
    content = (DATA / name).read_bytes().decode("utf-8")
    assert content.endswith("\n")
    assert "\r" not in content
    lines = [line.split("\t") for line in content.removesuffix("\n").split("\n")]
    assert lines[0] == header
    return [dict(zip(header, line, strict=True)) for line in lines[1:]]


@pytest.fixture(scope="module")
def labels() -> list[Row]:
    return _read("labels.tsv", ["index", "wnid", "en", "zh", "type", "parent"])


@pytest.fixture(scope="module")
def concepts() -> list[Row]:
    return _read("concepts.tsv", ["key", "en", "zh", "type", "parent"])


@pytest.fixture(scope="module")
def detected() -> list[Row]:
    return _read("detector_labels.tsv", ["index", "en", "zh", "type", "parent"])


@pytest.fixture(scope="module")
def scenes() -> list[Row]:
    return _read("scenes.tsv", ["en", "zh", "type", "parent"])


@pytest.fixture(scope="module")
def rows(labels: list[Row], concepts: list[Row], detected: list[Row], scenes: list[Row]) -> list[Row]:
    """Of all tables; what has one English name in several of them once."""
    return list({row["en"]: row for row in [*scenes, *detected, *concepts, *labels]}.values())


def _repeated(values: list[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def test_a_row_for_each_class_in_order(labels: list[Row]) -> None:
    assert [row["index"] for row in labels] == [str(index) for index in range(1000)]


def test_wordnet_ids_are_distinct_and_ascending(labels: list[Row]) -> None:
    ids = [row["wnid"] for row in labels]
    assert all(re.fullmatch(r"n\d{8}", value) for value in ids)
    assert ids == sorted(set(ids))


def test_no_cell_is_blank_or_padded(rows: list[Row]) -> None:
    for row in rows:
        for column, cell in row.items():
            assert cell == cell.strip(), row
            assert cell or column == "parent", row


def test_names_are_distinct_in_the_tables_that_do_not_share_any(labels: list[Row], concepts: list[Row]) -> None:
    assert _repeated([row["en"].casefold() for row in [*labels, *concepts]]) == []


def test_what_is_called_the_same_in_one_language_is_so_in_the_other(rows: list[Row]) -> None:
    assert _repeated([row["en"].casefold() for row in rows]) == []
    assert _repeated([row["zh"] for row in rows]) == []


def test_tables_agree_about_what_they_share(labels, concepts, detected, scenes) -> None:
    known: dict[str, tuple[str, ...]] = {}
    for row in [*labels, *concepts, *detected, *scenes]:
        said = (row["zh"], row["type"], row["parent"])
        assert known.setdefault(row["en"], said) == said, row


def test_a_row_for_each_kind_of_thing_in_order(detected: list[Row]) -> None:
    assert [row["index"] for row in detected] == [str(index) for index in range(80)]


def test_names_are_single_tags(rows: list[Row]) -> None:
    for row in rows:
        assert row["en"].isascii(), row
        assert not set(row["en"]) & set(",;/|"), row
        assert not set(row["zh"]) & set(",;/|，、；"), row


def test_chinese_names_hold_chinese(rows: list[Row]) -> None:
    assert [row for row in rows if not CJK.search(row["zh"])] == []


def test_types_are_known(rows: list[Row]) -> None:
    assert {row["type"] for row in rows} == TYPES


def test_keys_are_distinct_and_in_snake_case(concepts: list[Row]) -> None:
    keys = [row["key"] for row in concepts]
    assert _repeated(keys) == []
    assert all(KEY.fullmatch(key) for key in keys)


def test_every_parent_resolves(rows: list[Row], concepts: list[Row]) -> None:
    assert {row["parent"] for row in rows} <= {row["key"] for row in concepts} | {""}


def test_every_concept_leads_to_a_root(concepts: list[Row]) -> None:
    parents = {row["key"]: row["parent"] for row in concepts}
    for start in parents:
        seen, key = set[str](), start
        while key:
            assert key not in seen, f"{start} runs in a circle"
            seen.add(key)
            key = parents[key]


def test_every_concept_has_members(rows: list[Row], concepts: list[Row]) -> None:
    used = {row["parent"] for row in rows}
    assert [row["key"] for row in concepts if row["key"] not in used] == []


@pytest.mark.parametrize(
    ("index", "en", "zh", "ancestor"),
    [
        (21, "kite (bird)", "鸢", "bird"),
        (134, "crane (bird)", "鹤", "bird"),
        (242, "Boxer (dog)", "拳师犬", "dog"),
        (264, "Cardigan Welsh Corgi", "卡迪根威尔士柯基犬", "dog"),
        (281, "tabby cat", "虎斑猫", "cat"),
        (474, "cardigan (garment)", "开襟毛衣", "clothing"),
        (517, "crane (machine)", "起重机", "machine"),
        (673, "computer mouse", "鼠标", "computer_hardware"),
        (771, "safe (strongbox)", "保险箱", "container"),
        (978, "seashore", "海滨", "landscape"),
    ],
)
def test_spot_checks(labels: list[Row], concepts: list[Row], index: int, en: str, zh: str, ancestor: str) -> None:
    row = labels[index]
    assert (row["en"], row["zh"]) == (en, zh)
    parents = {concept["key"]: concept["parent"] for concept in concepts}
    chain, key = list[str](), row["parent"]
    while key:
        chain.append(key)
        key = parents[key]
    assert ancestor in chain


def test_checksums_match_the_models() -> None:
    lines = (DATA / "tagging.sha256").read_text(encoding="ascii").splitlines()
    sums = {line.split("  ")[1]: line.split("  ")[0] for line in lines}
    assert set(sums) == {"efficientnet_lite0.onnx", "ssdlite_mobilenet_v2.onnx", "centernet_mobilenet_v3.onnx"}
    assert sums == {name: hashlib.sha256((DATA / name).read_bytes()).hexdigest() for name in sums}


def test_all_models_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*.onnx")) < 25_000_000
