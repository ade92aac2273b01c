"""Alignments: the song, from where on, and how sure that is."""

import numpy as np
import pytest

from gateway.engines.music import matcher
from gateway.engines.music.engine import LEAST_CONFIDENCE
from gateway.engines.music.evidence import confidence
from gateway.engines.music.index import MusicIndex
from gateway.engines.music.landmarks import FRAME_SECONDS, HOP, RATE, Landmarks, query_landmarks, song_landmarks
from gateway.engines.music.matcher import best_alignment, log_odds

from .sounds import Samples, melody, noise, written_index


@pytest.mark.parametrize("seed", range(6))
def test_a_part_among_as_much_noise_is_found_to_the_frame(songs, index, seed) -> None:
    start = 5.3 + seed
    part = songs[f"song {seed}"][round(start * RATE) :][: 10 * RATE]
    alignment = best_alignment(index, query_landmarks(part + noise(seed, part.size)))
    assert alignment is not None
    assert index.songs[alignment.song] == f"song {seed}"
    assert alignment.offset * FRAME_SECONDS == pytest.approx(start, abs=0.05)
    assert confidence(log_odds(alignment.strength, 10)) > 99


def test_a_song_that_begins_within_the_recording_has_a_negative_offset(songs, index) -> None:
    recording = np.concatenate([noise(0, 6 * RATE), songs["song 2"][: 12 * RATE]])
    alignment = best_alignment(index, query_landmarks(recording))
    assert alignment is not None
    assert index.songs[alignment.song] == "song 2"
    assert alignment.offset * FRAME_SECONDS == pytest.approx(-6, abs=0.05)


def test_songs_that_are_not_in_the_index_are_not_trusted(index) -> None:
    for seed in range(100, 130):
        alignment = best_alignment(index, query_landmarks(melody(seed, 12)))
        assert alignment is None or confidence(log_odds(alignment.strength, 12)) < LEAST_CONFIDENCE


def test_another_tempo_or_pitch_is_another_recording(songs, index) -> None:
    song = songs["song 1"][: 20 * RATE]
    for ratio in (0.94, 1.06):
        at = np.arange(0, song.size - 1, ratio)
        other = np.interp(at, np.arange(song.size), song).astype(np.float32)
        alignment = best_alignment(index, query_landmarks(other))
        assert alignment is None or confidence(log_odds(alignment.strength, 12)) < LEAST_CONFIDENCE


def few_notes(seed: int, seconds: float) -> Samples:
    """Seven notes in any order, one every eighth of a second."""
    dice = np.random.default_rng(seed)
    time = np.arange(RATE // 8) / RATE
    notes = [np.sin(2 * np.pi * note * time) * np.exp(-20 * time) for note in (440, 494, 523, 587, 659, 698, 784)]
    return (0.3 * np.concatenate([notes[dice.integers(7)] for _ in range(round(8 * seconds))])).astype(np.float32)


def test_music_of_few_notes_and_one_beat_stands_out_only_where_it_is_the_same(tmp_path, monkeypatch) -> None:
    index = written_index(tmp_path / "a.index", {f"song {seed}": few_notes(seed, 120) for seed in range(4)})

    def strengths() -> tuple[float, float]:
        known = [best_alignment(index, query_landmarks(few_notes(seed, 120)[40 * RATE : 60 * RATE])) for seed in range(4)]
        foreign = [best_alignment(index, query_landmarks(few_notes(seed, 20))) for seed in range(20, 30)]
        assert [alignment.song for alignment in known if alignment] == [0, 1, 2, 3]
        return min(alignment.strength for alignment in known if alignment), max(a.strength for a in foreign if a)

    known, foreign = strengths()
    assert known > 5 * foreign
    monkeypatch.setattr(matcher, "_RIVALRY", 0.0)
    known, foreign = strengths()
    assert known < 4 * foreign


def test_what_repeats_itself_exactly_is_still_found(songs, tmp_path) -> None:
    loop = np.tile(melody(70, 4), 10)
    index = written_index(tmp_path / "a.index", {**songs, "loop": loop})
    part = loop[6 * RATE : 18 * RATE]
    alignment = best_alignment(index, query_landmarks(part + noise(0, part.size)))
    assert alignment is not None
    assert index.songs[alignment.song] == "loop"
    assert confidence(log_odds(alignment.strength, 12)) > 95


def test_what_holds_no_landmark_matches_nothing(index) -> None:
    nothing = Landmarks(np.empty(0, np.uint32), np.empty(0, np.uint32))
    assert best_alignment(index, nothing) is None
    unknown = Landmarks(np.array([2**24 - 1], np.uint32), np.array([0], np.uint32))
    assert best_alignment(index, unknown) is None


def test_where_hashes_are_everywhere_the_rare_ones_decide(songs, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(matcher, "_MAX_POSTINGS", 2000)
    index = written_index(tmp_path / "a.index", {**songs, "again": songs["song 5"][HOP:]})
    looked_at = []
    places = MusicIndex.places
    monkeypatch.setattr(MusicIndex, "places", lambda self, postings: (looked_at.append(postings.size), places(self, postings))[1])
    alignment = best_alignment(index, query_landmarks(songs["song 4"][: 20 * RATE]))
    assert alignment is not None
    assert index.songs[alignment.song] == "song 4"
    assert 1000 < sum(looked_at) <= 2000


def test_one_note_held_does_not_vote_twice(tmp_path) -> None:
    held = Landmarks(np.full(500, 7, np.uint32), np.arange(500, dtype=np.uint32))
    samples: dict[str, Samples] = {"song": melody(0, 5)}
    index = written_index(tmp_path / "a.index", samples)
    assert best_alignment(index, held) is None
    known = Landmarks(np.full(500, song_landmarks(samples["song"]).hashes[0]), np.arange(500, dtype=np.uint32))
    alignment = best_alignment(index, known)
    assert alignment is not None
    assert alignment.strength <= 1


def test_what_agrees_over_time_counts_for_more_than_what_agrees_at_once(songs, tmp_path) -> None:
    index = written_index(tmp_path / "a.index", {"song": songs["song 0"]})
    whole = query_landmarks(songs["song 0"][: 10 * RATE])
    at_once = Landmarks(whole.hashes[whole.frames < 60], whole.frames[whole.frames < 60])
    thinned = Landmarks(whole.hashes[::5], whole.frames[::5])
    assert at_once.hashes.size == pytest.approx(thinned.hashes.size, rel=0.2)
    one, other = best_alignment(index, at_once), best_alignment(index, thinned)
    assert one is not None
    assert other is not None
    assert other.strength > 1.5 * one.strength


def test_confidence_grows_with_strength_and_falls_with_length() -> None:
    rising = [confidence(log_odds(strength, 10)) for strength in range(0, 60, 2)]
    assert rising == sorted(rising)
    assert 0 <= rising[0] < 1
    assert 99.9 < rising[-1] <= 100
    assert confidence(log_odds(16, 20)) < confidence(log_odds(16, 10))
