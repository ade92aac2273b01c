"""Recordings as people make them: music with somebody talking, or noise, in an MP4 with AAC sound."""

import io

import av
import numpy as np

from bench.engines.music.songs import RATE, Samples


def pink(count: int, dice: np.random.Generator) -> Samples:
    """Noise with as much power in every octave."""
    spectrum = np.fft.rfft(dice.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1))
    return np.fft.irfft(spectrum, count).astype(np.float32)


def part(samples: Samples, count: int, dice: np.random.Generator) -> Samples:
    """So many samples from anywhere."""
    start = int(dice.integers(0, samples.size - count + 1))
    return samples[start : start + count]


def mixed(music: Samples, other: Samples, decibels: float) -> Samples:
    """Both, the music so much louder by its mean power; -1 to 1."""
    gain = np.sqrt(np.mean(music**2) / np.mean(other**2)) * 10 ** (-decibels / 20)
    both = music + other * np.float32(gain)
    return np.asarray(both / max(1.0, float(np.abs(both).max())), np.float32)


def mp4(samples: Samples, *, pictures: bool) -> bytes:
    """AAC of 128 kbit/s in an MP4, if wanted beside a track of pictures."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=RATE, layout="mono", bit_rate=128_000)
        screen = container.add_stream("mpeg4", rate=5, width=64, height=48, pix_fmt="yuv420p") if pictures else None
        if screen is not None:
            for grey in range(int(samples.size / RATE * 5)):
                picture = np.full((48, 64), grey % 256, np.uint8)
                container.mux(screen.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
            container.mux(screen.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = RATE
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return file.getvalue()
