"""Makes the catalogue that the demo recognises music of: seven tunes of this project's own, composed by dice and rules.

Writes their index, `gateway/engines/data/music/demo.index`, and a recording to try it on, `examples/music/harbour-lights.mp4`:
a part of one of them among noise.

    python tools/synthesise_catalogue.py               both of these
    python tools/synthesise_catalogue.py --tunes DIR   the tunes themselves, as FLAC, to be listened to or indexed
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from gateway.engines.music.catalogue import build_index

ROOT = Path(__file__).parents[1]
INDEX = ROOT / "gateway" / "engines" / "data" / "music" / "demo.index"
RECORDING = ROOT / "examples" / "music" / "harbour-lights.mp4"

RATE = 22050
BEATS_A_BAR = 4
ARTIST = "Image Gateway"

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
DORIAN = (0, 2, 3, 5, 7, 9, 10)

Wave = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tune:
    """What a tune is composed from. `tonic`: MIDI number; `chords`: degrees of the scale, one a bar; `lead`, `pad`: harmonics."""

    title: str
    seed: int
    beats_a_minute: float
    tonic: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    lead: tuple[float, ...]
    pad: tuple[float, ...]
    bars: int = 16
    drums: float = 0.5


TUNES = (
    Tune("Harbour Lights", 1, 96, 57, MAJOR, (0, 5, 3, 4), (1, 0.5, 0.3, 0.1), (1, 0, 0.3)),
    Tune("Paper Kites", 2, 126, 62, MAJOR, (0, 3, 4, 3), (1, 0, 0.4, 0, 0.2), (1, 0.4), bars=20),
    Tune("Night Train", 3, 140, 52, MINOR, (0, 0, 5, 6), (1, 0.7, 0.5, 0.35, 0.25), (1, 0.5, 0.2), bars=24, drums=1.0),
    Tune("Slow River", 4, 72, 55, DORIAN, (0, 3, 6, 3), (1, 0.1, 0.05), (1, 0.6, 0.3, 0.2), bars=12, drums=0.1),
    Tune("Clockwork Fair", 5, 112, 60, MINOR, (0, 3, 0, 4), (1, 0.9, 0, 0.6, 0, 0.3), (1,), bars=18),
    Tune("Northern Snow", 6, 84, 50, MINOR, (0, 5, 2, 6), (1, 0.3, 0.6), (1, 0.2, 0.4, 0.1), bars=14, drums=0.2),
    Tune("Market Day", 7, 120, 64, DORIAN, (0, 6, 0, 6), (1, 0.5, 0.6, 0.3), (1, 0.3), bars=20, drums=0.8),
)


def composed(tune: Tune) -> Wave:
    """The tune: mono, -1 to 1. The same for the same tune, within rounding."""
    dice = np.random.default_rng(tune.seed)
    beat = 60 / tune.beats_a_minute
    wave = np.zeros(round((tune.bars * BEATS_A_BAR + 2) * beat * RATE), np.float32)
    motif = dice.integers(-2, 3, 8)
    degree = 7
    for bar in range(tune.bars):
        start, chord = bar * BEATS_A_BAR * beat, tune.chords[bar % len(tune.chords)]
        for third in (0, 2, 4):
            _add(wave, start, _note(_frequency(tune, chord + third), BEATS_A_BAR * beat, tune.pad, attack=0.2) * 0.12)
        _add(wave, start, _note(_frequency(tune, chord - 7), 1.5 * beat, (1, 0.5, 0.2)) * 0.3)
        _add(wave, start + 2 * beat, _note(_frequency(tune, chord - 3), 1.5 * beat, (1, 0.5, 0.2)) * 0.25)
        for eighth, step in enumerate(motif):
            if dice.random() < 0.25:
                continue
            degree = int(np.clip(degree + step + dice.integers(-1, 2), chord + 3, chord + 14))
            length = beat * dice.choice([0.5, 0.5, 1.0])
            _add(wave, start + eighth * beat / 2, _note(_frequency(tune, degree), length, tune.lead) * 0.35)
        for quarter in range(BEATS_A_BAR):
            drum = _kick() if quarter % 2 == 0 else _snare(dice)
            _add(wave, start + quarter * beat, drum * np.float32(tune.drums * 0.5))
    return wave / np.abs(wave).max() * np.float32(0.8)


def _frequency(tune: Tune, degree: int) -> float:
    octave, step = divmod(degree, len(tune.scale))
    return float(440 * 2 ** ((tune.tonic + 12 * octave + tune.scale[step] - 69) / 12))


def _note(frequency: float, seconds: float, harmonics: tuple[float, ...], attack: float = 0.01) -> Wave:
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(share * np.sin(2 * np.pi * frequency * number * time) for number, share in enumerate(harmonics, 1))
    envelope = np.minimum(time / attack, 1) * np.exp(-2 * time / seconds) * np.minimum((seconds - time) / 0.02, 1)
    return np.asarray(tone * envelope, np.float32)


def _kick() -> Wave:
    time = np.arange(round(0.15 * RATE)) / RATE
    return np.asarray(np.sin(2 * np.pi * 45 * time + 8 * np.exp(-30 * time)) * np.exp(-20 * time), np.float32)


def _snare(dice: np.random.Generator) -> Wave:
    time = np.arange(round(0.1 * RATE)) / RATE
    return np.asarray(dice.standard_normal(time.size) * np.exp(-40 * time) * 0.5, np.float32)


def _add(wave: Wave, start: float, sound: Wave) -> None:
    at = round(start * RATE)
    wave[at : at + sound.size] += sound[: wave.size - at]


def among_noise(wave: Wave, decibels: float) -> Wave:
    """`wave` so much louder than the noise (pink: as much in every octave) that is added to it."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(wave.size))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)), wave.size)
    noise *= np.sqrt(np.mean(wave**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
    return np.asarray((wave + noise) / np.abs(wave + noise).max(), np.float32)


def save(wave: Wave, path: Path, codec: str, metadata: dict[str, str]) -> None:
    """Write a file of the kind that its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w") as container:
        container.metadata.update(metadata)
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.round(wave[np.newaxis] * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def save_tunes(folder: Path) -> None:
    """Write all tunes as FLAC."""
    for tune in TUNES:
        save(composed(tune), folder / f"{tune.title}.flac", "flac", {"artist": ARTIST, "title": tune.title})


def save_index(path: Path) -> None:
    """Write the index of all tunes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        save_tunes(Path(folder))
        build_index(Path(folder), path, lambda _: None)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tunes", type=Path, metavar="DIR", help="write the tunes there, and nothing else")
    folder = parser.parse_args().tunes
    if folder is not None:
        save_tunes(folder)
        return
    save_index(INDEX)
    harbour = composed(TUNES[0])[12 * RATE : 24 * RATE]
    save(among_noise(harbour, 3), RECORDING, "aac", {})


if __name__ == "__main__":
    main()
