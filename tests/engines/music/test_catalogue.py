"""From a folder of songs to an index."""

import logging
import os
from pathlib import Path

import pytest

from gateway.engines.music import MusicEngine, MusicIndex
from gateway.engines.music.catalogue import Indexed, Skipped, build_index
from gateway.engines.music.landmarks import RATE
from gateway.engines.steps import Cancelled

from .sounds import encoded, melody


@pytest.fixture
def folder(tmp_path) -> Path:
    """Songs of several formats in several folders, among files that are none."""
    songs = tmp_path / "songs"
    (songs / "b").mkdir(parents=True)
    (songs / ".hidden").mkdir()
    (songs / "b" / "tagged.flac").write_bytes(
        encoded(melody(1, 15), codec="flac", form="flac", artist="Nadia", title="Rain\nfall")
    )
    (songs / "a title.ogg").write_bytes(encoded(melody(2, 15), codec="libopus", form="ogg", title="Only a title"))
    (songs / "untagged.wav").write_bytes(encoded(melody(3, 15), codec="pcm_s16le", form="wav"))
    (songs / "artist alone.m4a").write_bytes(encoded(melody(4, 15), artist="Nobody"))
    (songs / "notes.txt").write_text("not a song")
    (songs / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture either")
    (songs / "empty.mp3").write_bytes(b"")
    (songs / "short.wav").write_bytes(encoded(melody(5, 0.1), codec="pcm_s16le", form="wav"))
    (songs / "zz copy of untagged.wav").write_bytes((songs / "untagged.wav").read_bytes())
    (songs / ".hidden" / "secret.wav").write_bytes(encoded(melody(6, 15), codec="pcm_s16le", form="wav"))
    return songs


def built(folder: Path, out: Path) -> list[Indexed | Skipped]:
    done: list[Indexed | Skipped] = []
    build_index(folder, out, done.append)
    return done


def test_songs_are_indexed_and_named_and_the_rest_is_reported(folder, tmp_path, caplog) -> None:
    done = built(folder, tmp_path / "songs.index")
    index = MusicIndex.open(tmp_path / "songs.index")
    assert list(index.songs) == ["Only a title", "artist alone", "untagged", "Nadia - Rain fall"]
    assert [item.name for item in done if isinstance(item, Indexed)] == list(index.songs)
    assert all(item.seconds == pytest.approx(15, abs=0.4) for item in done if isinstance(item, Indexed))
    skipped = {item.path.name: item.why for item in done if isinstance(item, Skipped)}
    assert set(skipped) == {"notes.txt", "cover.jpg", "empty.mp3", "short.wav", "zz copy of untagged.wav"}
    assert skipped["short.wav"] == "it is too short, or silent"
    assert skipped["zz copy of untagged.wav"] == f"it sounds exactly as {folder / 'untagged.wav'}"
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == len(skipped)
    assert any("notes.txt is not indexed: " in line for line in warned)


def test_what_was_indexed_is_recognised(folder, tmp_path) -> None:
    built(folder, tmp_path / "songs.index")
    engine = MusicEngine(MusicIndex.open(tmp_path / "songs.index"))
    match = engine.recognise(encoded(melody(1, 15)[3 * RATE :]))
    assert match is not None
    assert match.name == "Nadia - Rain fall"
    assert match.offset_seconds == pytest.approx(3, abs=0.3)
    assert engine.recognise(encoded(melody(6, 15))) is None


def test_the_same_folder_makes_the_same_file(folder, tmp_path) -> None:
    built(folder, tmp_path / "one.index")
    built(folder, tmp_path / "two.index")
    assert (tmp_path / "one.index").read_bytes() == (tmp_path / "two.index").read_bytes()


def test_a_folder_without_songs_leaves_the_old_index(folder, tmp_path) -> None:
    out = tmp_path / "songs.index"
    built(folder, out)
    before = out.read_bytes()
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "notes.txt").write_text("not a song")
    with pytest.raises(ValueError, match="no song"):
        built(tmp_path / "none", out)
    assert out.read_bytes() == before


def test_what_cannot_be_read_or_written_is_the_systems_error(folder, tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        built(tmp_path / "missing", tmp_path / "songs.index")
    with pytest.raises(FileNotFoundError):
        built(folder, tmp_path / "missing" / "songs.index")


def test_it_can_be_cancelled_and_leaves_nothing(folder, tmp_path) -> None:
    def checkpoint() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        build_index(folder, tmp_path / "songs.index", lambda _: None, checkpoint)
    assert [entry.name for entry in tmp_path.iterdir()] == ["songs"]


def test_names_that_are_no_text_and_files_that_are_none(tmp_path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    os.mkfifo(folder / "pipe.wav")
    (folder / "broken.wav").symlink_to("nowhere")
    (folder / os.fsdecode(b"caf\xe9.wav")).write_bytes(encoded(melody(3, 15), codec="pcm_s16le", form="wav"))
    done = built(folder, tmp_path / "songs.index")
    assert {(item.path.name, item.why) for item in done if isinstance(item, Skipped)} == {
        ("pipe.wav", "it is no file"),
        ("broken.wav", "it is no file"),
    }
    assert list(MusicIndex.open(tmp_path / "songs.index").songs) == ["caf"]


def test_playlists_do_not_lead_anywhere(tmp_path) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    (folder / "a.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    (folder / "song.wav").write_bytes(encoded(melody(3, 15), codec="pcm_s16le", form="wav"))
    done = built(folder, tmp_path / "songs.index")
    assert [type(item) for item in done] == [Skipped, Indexed]
