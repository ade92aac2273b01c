"""The index file: what is written is found again, and what is not as it was written is refused."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from gateway.engines.music.index import MAGIC, Layout, MusicIndex
from gateway.engines.music.landmarks import Landmarks
from gateway.engines.music.writer import IndexWriter


def landmarks(dice: np.random.Generator, count: int, frames: int) -> Landmarks:
    """Random ones, of which many are equal."""
    hashes = dice.choice([dice.integers(0, 2**24), 0, 2**24 - 1, 0xFFFF, 0x10000], count) ^ dice.integers(0, 50, count)
    return Landmarks(hashes.astype(np.uint32), dice.integers(0, frames, count).astype(np.uint32))


def write(path: Path, songs: list[tuple[str, Landmarks, int]]) -> MusicIndex:
    with IndexWriter(path) as writer:
        for name, found, frames in songs:
            writer.add(name, found, frames)
        writer.finish()
    return MusicIndex.open(path)


@pytest.fixture
def path(tmp_path) -> Path:
    """A small index."""
    dice = np.random.default_rng(0)
    write(tmp_path / "a.index", [(f"song {n}", landmarks(dice, 200, 1000), 1000) for n in range(3)])
    return tmp_path / "a.index"


@pytest.mark.parametrize("count", [1, 10, 1000, 60_000])
def test_every_posting_of_a_hash_is_found_and_no_other(tmp_path, count) -> None:
    dice = np.random.default_rng(count)
    songs = [(f"song {n}", landmarks(dice, count, 5000), 5000) for n in range(3)]
    index = write(tmp_path / "a.index", songs)
    assert index.postings == 3 * count
    asked = np.unique(np.concatenate([dice.integers(0, 2**24, 300), [0, 2**24 - 1], *(s[1].hashes[:100] for s in songs)]))
    first, number = index.find(asked.astype(np.uint32))
    for hash_, at, many in zip(asked.tolist(), first.tolist(), number.tolist(), strict=True):
        places = index.places(np.arange(at, at + many)).tolist()
        found = sorted((song, place - start) for place in places for song, start in [index.song_at(place)])
        expected = sorted(
            (song, frame) for song, (_, of, _) in enumerate(songs) for frame in of.frames[of.hashes == hash_].tolist()
        )
        assert found == expected


def test_names_and_order_are_kept(tmp_path) -> None:
    empty = Landmarks(np.empty(0, np.uint32), np.empty(0, np.uint32))
    names = ["茉莉花", "", "Für Elise", "a" * 300]
    index = write(tmp_path / "a.index", [(name, empty, 10) for name in names])
    assert list(index.songs) == names


def test_the_same_songs_make_the_same_file(tmp_path, path) -> None:
    dice = np.random.default_rng(0)
    write(tmp_path / "b.index", [(f"song {n}", landmarks(dice, 200, 1000), 1000) for n in range(3)])
    assert path.read_bytes() == (tmp_path / "b.index").read_bytes()


def test_what_is_not_finished_leaves_no_trace(path) -> None:
    before = path.read_bytes()
    with IndexWriter(path) as writer:
        writer.add("song", Landmarks(np.zeros(9, np.uint32), np.zeros(9, np.uint32)), 10)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_an_open_index_outlives_its_replacement(path) -> None:
    old = MusicIndex.open(path)
    dice = np.random.default_rng(9)
    new = write(path, [("other", landmarks(dice, 10, 100), 100)])
    assert list(old.songs) == ["song 0", "song 1", "song 2"]
    assert old.places(np.arange(old.postings)).size == 600
    assert list(new.songs) == ["other"]


def test_an_index_of_nothing_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="no song"), IndexWriter(tmp_path / "a.index") as writer:
        writer.finish()
    assert not list(tmp_path.iterdir())


def test_more_than_the_format_counts_is_refused(tmp_path) -> None:
    few = Landmarks(np.zeros(1, np.uint32), np.zeros(1, np.uint32))
    with IndexWriter(tmp_path / "a.index") as writer:
        writer.add("long", few, 2**31)
        with pytest.raises(ValueError, match="at most"):
            writer.add("longer", few, 2**31)


def test_a_missing_file_is_the_systems_error(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        MusicIndex.open(tmp_path / "none")


def test_every_truncation_and_extension_is_refused(path) -> None:
    data = path.read_bytes()
    for size in (*range(200), *range(200, len(data), 97), len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"a\.index: "):
            MusicIndex.open(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(ValueError, match="damaged"):
        MusicIndex.open(path)


def test_every_change_of_header_and_directory_is_refused(path) -> None:
    data = path.read_bytes()
    directory_end = Layout(songs=3, bucket_bits=8, postings=600, name_bytes=18).directory_end
    for at in range(directory_end):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"a\.index: it is "):
            MusicIndex.open(path)


@pytest.mark.parametrize(
    ("part", "offset", "value"),
    [
        (1, 0, 2**31),  # a name ends beyond the names
        (1, 4, 0),  # … before it begins
        (1, 8, 17),  # … and leaves bytes over
        (2, 0, 0xFFFFFFFF),  # a name is not UTF-8
        (3, 0, 1),  # the first bucket does not begin at the beginning
        (3, 40, 601),  # a bucket beyond the postings
        (3, 4 * 256, 599),  # the last one does not end at the end
        (0, 0, 2**32 - 1),  # songs are longer than there is room for
    ],
)
def test_nonsense_with_a_right_checksum_is_refused(path, part, offset, value) -> None:
    data = bytearray(path.read_bytes())
    layout = Layout(songs=3, bucket_bits=8, postings=600, name_bytes=18)
    struct.pack_into("<I", data, layout.parts()[part].start + offset, value)
    header_size = layout.parts()[0].start
    data[:header_size] = layout.header(bytes(data[header_size : layout.directory_end]))
    path.write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        MusicIndex.open(path)


def test_damaged_postings_give_wrong_answers_at_worst(path) -> None:
    layout = Layout(songs=3, bucket_bits=8, postings=600, name_bytes=18)
    data = bytearray(path.read_bytes())
    data[layout.directory_end :] = os.urandom(len(data) - layout.directory_end)
    path.write_bytes(data)
    index = MusicIndex.open(path)
    _, number = index.find(np.arange(2**24, dtype=np.uint32)[::17])
    assert (number >= 0).all()
    places = index.places(np.arange(600))
    assert {index.song_at(place)[0] for place in places.tolist()} <= {0, 1, 2}


def test_other_versions_say_what_to_do(path) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, len(MAGIC), 7)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"version 7\.1.*build it anew"):
        MusicIndex.open(path)
