"""The demo's tunes, and that the shipped index and recording are of them."""

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gateway.engines.music import MusicEngine, MusicIndex
from gateway.engines.music.landmarks import FRAME_SECONDS, query_landmarks
from gateway.engines.music.matcher import best_alignment
from gateway.engines.music.song import read_song

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The tool, imported by path: tools/ holds scripts and is not a package."""
    spec = importlib.util.spec_from_file_location("synthesise_catalogue", ROOT / "tools" / "synthesise_catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    module.composed = functools.cache(module.composed)  # seconds for all tunes, which several tests ask for
    return module


def test_tunes_are_of_some_length_and_loudness_and_no_two_alike(tool) -> None:
    tunes = [tool.composed(tune) for tune in tool.TUNES]
    assert len(tunes) == 7
    for tune in tunes:
        assert 30 <= tune.size / tool.RATE <= 60
        assert np.abs(tune).max() == pytest.approx(0.8, abs=0.01)
        assert np.sqrt(np.mean(tune**2)) > 0.05
    assert np.array_equal(tunes[0], tool.composed.__wrapped__(tool.TUNES[0]))


def test_the_shipped_index_is_of_the_tunes(tool, tmp_path) -> None:
    index = MusicIndex.open(tool.INDEX)
    assert sorted(index.songs) == sorted(f"{tool.ARTIST} - {tune.title}" for tune in tool.TUNES)
    assert tool.INDEX.stat().st_size < 300_000
    tool.save_tunes(tmp_path)
    for tune in tool.TUNES:
        samples = read_song(tmp_path / f"{tune.title}.flac").samples[8 * 8000 : 20 * 8000]
        alignment = best_alignment(index, query_landmarks(samples))
        assert alignment is not None
        assert index.songs[alignment.song].endswith(tune.title)
        assert alignment.offset * FRAME_SECONDS == pytest.approx(8, abs=0.05)


def test_the_shipped_recording_is_recognised(tool) -> None:
    engine = MusicEngine(MusicIndex.open(tool.INDEX))
    assert tool.RECORDING.stat().st_size < 150_000
    match = engine.recognise(tool.RECORDING.read_bytes())
    assert match is not None
    assert match.name == "Image Gateway - Harbour Lights"
    assert match.offset_seconds == pytest.approx(12, abs=0.3)
    assert match.confidence > 99


def test_no_tune_is_taken_for_another(tool, tmp_path) -> None:
    for tune in tool.TUNES[:3]:
        tool.save(tool.composed(tune), tmp_path / f"{tune.title}.flac", "flac", {"title": tune.title})
    from_three = tmp_path / "three.index"
    tool.build_index(tmp_path, from_three, lambda _: None)
    engine = MusicEngine(MusicIndex.open(from_three))
    for tune in tool.TUNES[3:]:
        tool.save(tool.composed(tune)[: 20 * tool.RATE], tmp_path / "other.mp4", "aac", {})
        assert engine.recognise((tmp_path / "other.mp4").read_bytes()) is None


def test_noise_is_as_faint_as_it_is_asked_for(tool) -> None:
    wave = np.sin(np.arange(100_000) / 7).astype(np.float32)
    mixed = tool.among_noise(wave, 6).astype(np.float64)
    share = np.dot(mixed, wave) / np.dot(wave, wave)
    rest = mixed - share * wave
    assert 10 * np.log10(np.mean((share * wave) ** 2) / np.mean(rest**2)) == pytest.approx(6, abs=0.2)
