"""Landmarks: what they are made of, and what leaves them as they are."""

import numpy as np
import pytest

from gateway.engines.music import landmarks
from gateway.engines.music.landmarks import HOP, RATE, Landmarks, frame_count, query_landmarks, song_landmarks

from .sounds import Samples, melody, noise


def pairs(found: Landmarks) -> set[tuple[int, int, int, int]]:
    """Frame, bin, bin, distance."""
    fields = (found.frames, found.hashes >> 15, found.hashes >> 6 & 511, found.hashes & 63)
    return set(zip(*(field.tolist() for field in fields), strict=True))


def clicks_of_tone(bins: dict[int, int], frames: int) -> Samples:
    """Silence but for tones of the middle of a bin, each loudest in the middle of one frame: frame → bin."""
    samples = np.zeros(frames * HOP)
    time = np.arange(-512, 512)
    for frame, bin_ in bins.items():
        middle = frame * HOP + 512
        samples[middle - 512 : middle + 512] += 0.3 * np.hanning(1024) * np.cos(2 * np.pi * bin_ / 1024 * time)
    return samples.astype(np.float32)


def test_a_pair_is_two_bins_and_the_frames_between() -> None:
    found = song_landmarks(clicks_of_tone({10: 40, 30: 100}, 60))
    assert (10, 40, 100, 20) in pairs(found)
    assert {first for _, first, _, _ in pairs(found)} == {40}


def test_pairs_that_are_far_apart_are_none() -> None:
    assert not pairs(song_landmarks(clicks_of_tone({10: 40, 10 + 64: 100}, 100)))  # in time
    assert not pairs(song_landmarks(clicks_of_tone({10: 40, 30: 40 + 129}, 60)))  # in frequency
    assert pairs(song_landmarks(clicks_of_tone({10: 40, 10 + 63: 40 + 128}, 100)))


def test_peaks_are_the_same_wherever_blocks_end(monkeypatch) -> None:
    samples = melody(0, 20)
    expected = pairs(song_landmarks(samples))
    for frames in (7, 64, 100):
        monkeypatch.setattr(landmarks, "_BLOCK", frames)
        assert pairs(song_landmarks(samples)) == expected


def test_peaks_are_those_of_a_plain_search() -> None:
    samples = melody(1, 3) + noise(1, 3 * RATE)
    window = np.hanning(1024)
    count = frame_count(samples)
    power = np.array([abs(np.fft.rfft(samples[at * HOP : at * HOP + 1024] * window)[:512]) ** 2 for at in range(count)])
    frames, bins, _ = landmarks._local_peaks(samples, 0, count)
    found = set(zip(frames.tolist(), bins.tolist(), strict=True))
    expected = {
        (t, f)
        for t in range(count)
        for f in range(8, 500)
        if power[t, f] >= power[max(0, t - 3) : t + 4, max(0, f - 8) : f + 9].max() and power[t, f] > 1e-4
    }
    # Single precision decides between equals otherwise than double does.
    assert len(found ^ expected) <= len(expected) // 50


def test_a_song_that_begins_later_has_the_same_landmarks_later() -> None:
    samples = melody(2, 10)
    later = np.concatenate([np.zeros(80 * HOP, np.float32), samples])
    moved = {(frame + 80, *rest) for frame, *rest in pairs(song_landmarks(samples))}
    assert len(moved & pairs(song_landmarks(later))) > 0.95 * len(moved)  # those of the first frame see the silence


def test_loudness_does_not_matter() -> None:
    samples = melody(3, 10)
    loud, faint = pairs(song_landmarks(samples)), pairs(song_landmarks(samples / 4))
    assert len(loud ^ faint) < 0.05 * len(loud)  # the faintest peaks sink below the floor


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1200, 1280])
def test_what_is_short_or_silent_has_none(size) -> None:
    for samples in (np.zeros(size, np.float32), np.full(size, 0.5, np.float32)):
        for found in (song_landmarks(samples), query_landmarks(samples)):
            assert found.hashes.size == found.frames.size == 0


def test_minutes_of_silence_have_none_and_a_steady_tone_has_few() -> None:
    assert not song_landmarks(np.zeros(60 * RATE, np.float32)).hashes.size
    tone = np.sin(2 * np.pi * 1000 * np.arange(10 * RATE) / RATE).astype(np.float32)
    assert song_landmarks(tone).hashes.size < 10 * 200


def test_density_and_range() -> None:
    samples = noise(4, 30 * RATE)
    for found, most in ((song_landmarks(samples), 16 * 10), (query_landmarks(samples), 2 * 40 * 25)):
        assert found.hashes.dtype == found.frames.dtype == np.uint32
        assert most / 3 < found.hashes.size / 30 <= most * 1.05
        assert found.hashes.max() < 2**24
        assert found.frames.max() < frame_count(samples)
