"""`image-gateway music`: index a folder, recognise recordings with it."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from gateway.cli.music import MusicIndexRequest, MusicRecogniseRequest, run_music_index, run_music_recognise
from gateway.config import GatewaySettings
from gateway.errors import GatewayError

RATE = 8000
RECORDING = Path(__file__).parents[2] / "examples" / "music" / "harbour-lights.mp4"


@pytest.fixture(autouse=True)
def wide(monkeypatch) -> None:
    """Lines long enough for no text to be broken."""
    monkeypatch.setattr("gateway.cli.table.PIPE_WIDTH", 400)


def save(path: Path, seed: int, start: float = 0, codec: str = "pcm_s16le") -> Path:
    """Random notes, the same for the same seed, from so many seconds on."""
    dice = np.random.default_rng(seed)
    time = np.arange(RATE // 4) / RATE
    notes = [np.sin(2 * np.pi * 300 * 2 ** (dice.integers(0, 30) / 12) * time) * np.exp(-8 * time) for _ in range(80)]
    samples = np.round(np.concatenate(notes)[round(start * RATE) :] * 20000).astype(np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


async def indexed(tmp_path: Path) -> Path:
    for seed in range(3):
        save(tmp_path / "songs" / f"song {seed}.wav", seed)
    (tmp_path / "songs" / "cover.txt").write_text("no song")
    out = tmp_path / "songs.index"
    assert await run_music_index(MusicIndexRequest(tmp_path / "songs", out), GatewaySettings()) == 0
    return out


def request(*sources: object, index: Path | None = None, as_json: bool = True) -> MusicRecogniseRequest:
    return MusicRecogniseRequest(tuple(map(str, sources)), index, None, as_json)


async def test_index_says_what_is_in_it(tmp_path, capsys, caplog) -> None:
    out = await indexed(tmp_path)
    assert capsys.readouterr().out.startswith(f"{out}: 3 songs, 0.0 hours, 0.0 MB; 1 files skipped")
    assert "cover.txt is not indexed" in caplog.text


async def test_a_folder_without_songs_fails(tmp_path, capsys) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "cover.txt").write_text("no song")
    out = tmp_path / "songs.index"
    assert await run_music_index(MusicIndexRequest(tmp_path / "songs", out), GatewaySettings()) == 1
    assert "is not written: there is no song" in capsys.readouterr().out
    assert not out.exists()


async def test_recordings_are_recognised_with_an_index(tmp_path, capsys) -> None:
    index = await indexed(tmp_path)
    known = save(tmp_path / "known.mp4", 1, 4, codec="aac")
    foreign = save(tmp_path / "foreign.mp4", 99, codec="aac")
    capsys.readouterr()
    assert await run_music_recognise(request(known, foreign, index=index), GatewaySettings()) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["item_id"] == str(known)
    assert first["music"]["audio_name"] == "song 1"
    assert first["music"]["confidence"] > 90
    assert first["music"]["offset_seconds"] == pytest.approx(4, abs=0.3)
    assert second == {"item_id": str(foreign), "music": None}


async def test_the_shipped_recording_is_recognised_without_any_index(capsys) -> None:
    assert await run_music_recognise(request(RECORDING, as_json=False), GatewaySettings()) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.split() == [*str(RECORDING).split(), "Image", "Gateway", "-", "Harbour", "Lights", "100%", "0:12"]


@pytest.mark.parametrize("as_json", [False, True])
async def test_what_cannot_be_listened_to_says_why_and_the_others_are_shown(tmp_path, capsys, as_json) -> None:
    (tmp_path / "photo.mp4").write_bytes(b"\xff\xd8\xff\xe0 no recording")
    sources = (tmp_path / "photo.mp4", tmp_path / "missing.mp4", RECORDING)
    assert await run_music_recognise(request(*sources, as_json=as_json), GatewaySettings()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 + (not as_json)
    photo, missing, recording = lines[-3:]
    assert "MEDIA_UNSUPPORTED" in photo
    assert "the file cannot be read: No such file" in missing
    assert "Harbour Lights" in recording


async def test_long_files_are_not_read(tmp_path, capsys) -> None:
    with (tmp_path / "long.mp4").open("wb") as file:
        file.truncate(66 << 20)
    assert await run_music_recognise(request(tmp_path / "long.mp4"), GatewaySettings()) == 1
    assert json.loads(capsys.readouterr().out)["error"]["reason"] == "MEDIA_TOO_LARGE"


async def test_a_folder_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(GatewayError, match="nowhere is not a folder"):
        await run_music_index(MusicIndexRequest(tmp_path / "nowhere", tmp_path / "a.index"), GatewaySettings())
