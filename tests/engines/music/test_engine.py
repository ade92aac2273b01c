"""Recognition as a whole, on real MP4s."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gateway.engines.music import MusicEngine
from gateway.engines.music.landmarks import RATE
from gateway.engines.steps import Cancelled
from gateway.errors import GatewayError, Reason

from .sounds import encoded, melody, noise


@pytest.fixture(scope="module")
def engine(index) -> MusicEngine:
    """An engine that knows the songs."""
    return MusicEngine(index)


@pytest.mark.parametrize("seed", range(6))
def test_a_song_among_noise_is_named(songs, engine, seed) -> None:
    part = songs[f"song {seed}"][10 * RATE : 25 * RATE]
    match = engine.recognise(encoded(part + noise(seed, part.size), pictures=seed % 2 == 0))
    assert match is not None
    assert match.name == f"song {seed}"
    assert match.offset_seconds == pytest.approx(10, abs=0.3)
    assert 90 < match.confidence <= 100


def test_music_that_is_not_in_the_index_is_not_named(engine) -> None:
    for seed in range(100, 110):
        assert engine.recognise(encoded(melody(seed, 15))) is None


def test_neither_noise_nor_silence_is_named(engine) -> None:
    assert engine.recognise(encoded(noise(0, 15 * RATE))) is None
    assert engine.recognise(encoded(np.zeros(15 * RATE, np.float32))) is None
    assert engine.recognise(encoded(noise(0, RATE // 10))) is None


def test_a_song_in_the_middle_of_a_long_recording_is_found(songs, engine) -> None:
    recording = np.concatenate([noise(0, 90 * RATE), songs["song 5"], noise(1, 70 * RATE)])
    match = engine.recognise(encoded(recording))
    assert match is not None
    assert match.name == "song 5"
    assert match.offset_seconds == pytest.approx(-90, abs=0.5)  # where in the song the recording begins: long before it


def test_decoding_stops_once_it_is_clear(songs, engine) -> None:
    def calls(media: bytes) -> int:
        count = 0

        def checkpoint() -> None:
            nonlocal count
            count += 1

        engine.recognise(media, checkpoint)
        return count

    loop = np.tile(songs["song 1"], 5)
    assert calls(encoded(loop)) * 3 < calls(encoded(noise(0, loop.size)))


def test_it_can_be_cancelled(songs, engine) -> None:
    def checkpoint() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        engine.recognise(encoded(songs["song 0"]), checkpoint)


def test_what_is_no_recording_is_refused(engine) -> None:
    with pytest.raises(GatewayError) as caught:
        engine.recognise(b"not a recording")
    assert caught.value.reason is Reason.MEDIA_UNSUPPORTED


def test_threads_do_not_disturb_each_other(songs, engine) -> None:
    recordings = [encoded(songs[f"song {seed}"][: 12 * RATE]) for seed in range(6)] * 3
    alone = [engine.recognise(recording) for recording in recordings]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(engine.recognise, recordings)) == alone
    assert [match.name for match in alone if match] == [f"song {seed}" for seed in range(6)] * 3
