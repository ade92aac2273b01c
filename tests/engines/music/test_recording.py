"""From the bytes of an MP4 to pieces of its sound."""

import io
import resource
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from gateway.engines.music import recording
from gateway.engines.music.landmarks import RATE
from gateway.engines.music.recording import PIECE_SECONDS, PIECES, pieces
from gateway.engines.steps import Cancelled, never_cancelled
from gateway.errors import GatewayError, Reason

from .sounds import Samples, encoded, melody, noise


def heard(media: bytes) -> list[recording.Piece]:
    return list(pieces(media, never_cancelled))


def likeness(one: Samples, other: Samples) -> float:
    """Correlation at the best shift of up to a fifth of a second: codecs begin with silence of their own."""
    size = min(one.size, other.size) - 1600
    overlaps = np.lib.stride_tricks.sliding_window_view(one[: size + 1599], size)
    shift = int((overlaps @ other[:size]).argmax())
    return float(np.corrcoef(overlaps[shift], other[:size])[0, 1])


@pytest.mark.parametrize(("codec", "form"), [("aac", "mp4"), ("aac", "mov"), ("alac", "mp4")])
@pytest.mark.parametrize("pictures", [False, True])
def test_sound_comes_out_as_it_went_in(codec, form, pictures) -> None:
    samples = melody(0, 5)
    (piece,) = heard(encoded(samples, codec=codec, form=form, pictures=pictures))
    assert piece.samples.dtype == np.float32
    assert piece.samples.size == pytest.approx(samples.size, abs=0.3 * RATE)
    assert likeness(piece.samples, samples) > 0.95


def test_a_long_recording_is_heard_in_pieces_the_middle_first() -> None:
    # A tone that rises by one hertz a second says where a piece is from.
    time = np.arange(200 * RATE) / RATE
    rising = (0.3 * np.sin(2 * np.pi * (500 * time + time**2 / 2))).astype(np.float32)
    found = heard(encoded(rising, pictures=True))
    assert len(found) == PIECES
    for piece in found:
        assert piece.samples.size == PIECE_SECONDS * RATE
        spectrum = np.abs(np.fft.rfft(piece.samples[:RATE] * np.hanning(RATE)))
        assert spectrum.argmax() - 500 == pytest.approx(piece.start + 0.5, abs=1.5)
    distances = [abs(piece.start + PIECE_SECONDS / 2 - 100) for piece in found]
    assert distances == pytest.approx(sorted(distances), abs=0.5)
    assert sorted(piece.start for piece in found) == pytest.approx(np.linspace(0, 180, PIECES), abs=0.5)


@pytest.mark.parametrize(("seconds", "count"), [(19, 1), (30, 2), (59, 3), (200, PIECES)])
def test_pieces_cover_what_they_can(seconds, count) -> None:
    starts = sorted(piece.start for piece in heard(encoded(noise(0, seconds * RATE), codec="alac")))
    assert len(starts) == count
    assert starts[0] == pytest.approx(0, abs=0.3)
    assert starts[-1] == pytest.approx(max(0, seconds - PIECE_SECONDS), abs=0.5)


def refused(media: bytes) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        heard(media)
    assert caught.value.field == "content"
    return caught.value


def test_pictures_alone_hold_no_sound() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=1, width=32, height=32, pix_fmt="yuv420p")
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32), np.uint8), format="gray")))
        container.mux(stream.encode(None))
    error = refused(file.getvalue())
    assert error.reason is Reason.MEDIA_UNSUPPORTED
    assert "no sound" in error.message


@pytest.mark.parametrize("codec", ["pcm_s16be", "adpcm_ima_qt"])
def test_codecs_that_are_not_allowed_are_named(codec) -> None:
    error = refused(encoded(melody(0, 2), codec=codec, form="mov"))
    assert error.reason is Reason.MEDIA_UNSUPPORTED
    assert error.measured == codec
    assert "aac" in error.allowed


def test_a_codec_that_nobody_knows_is_unsupported() -> None:
    media = encoded(melody(0, 2))
    assert refused(media.replace(b"mp4a", b"xyzw").replace(b"esds", b"free")).reason is Reason.MEDIA_UNSUPPORTED


def test_media_data_of_noise_is_damage() -> None:
    media = bytearray(encoded(melody(0, 3)))
    at = media.index(b"mdat") + 4
    size = struct.unpack_from(">I", media, at - 8)[0] - 8
    media[at : at + size] = b"\xff" * size
    assert refused(bytes(media)).reason is Reason.MEDIA_DAMAGED


def with_sound_elsewhere(media: bytes, path: Path) -> bytes:
    """The recording, but that its sound is said to be in the file at `path`, by an alias of the kind that Macs had."""
    here = struct.pack(">I4sI", 12, b"url ", 1)
    at = media.index(here)
    name = str(path).encode() + b"\0" * (len(str(path)) % 2)
    alias = (
        bytes(10 + 28 + 12 + 64 + 16)
        + struct.pack(">HH", 0, 0)
        + bytes(16)
        + struct.pack(">HH", 2, len(name))
        + name
        + b"\xff" * 4
    )
    there = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    changed = bytearray(media[:at] + there + media[at + len(here) :])
    for parent in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        size_at = changed.rindex(parent, 0, at) - 4
        size = struct.unpack_from(">I", changed, size_at)[0]
        struct.pack_into(">I", changed, size_at, size + len(there) - len(here))
    return bytes(changed)


def test_other_files_are_not_opened(tmp_path, monkeypatch) -> None:
    media = encoded(melody(0, 2))
    path = tmp_path / "other.mp4"
    path.write_bytes(media)
    redirected = with_sound_elsewhere(media, path)
    assert refused(redirected).reason is Reason.MEDIA_DAMAGED
    # Not even if the demuxer were let to: PyAV would have to open it, and may not.
    asked: list[str] = []
    monkeypatch.setattr(recording, "_refuse", lambda url, flags, options: asked.append(url) or io.BytesIO(b""))
    monkeypatch.setattr(recording, "_OPTIONS", {**recording._OPTIONS, "enable_drefs": "1", "use_absolute_path": "1"})
    with pytest.raises(GatewayError):
        heard(redirected)
    assert asked == [str(path)]


def test_it_ends_at_a_checkpoint() -> None:
    media = encoded(melody(0, 15))
    calls = 0

    def checkpoint() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(pieces(media, checkpoint))
    assert calls == 5


def test_a_file_of_kilobytes_does_not_take_gigabytes() -> None:
    media = encoded(melody(0, 5), pictures=True)
    at = media.rindex(b"stsz")
    media = media[: at + 8] + struct.pack(">II", 1, 85_000_000) + media[at + 16 :]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(media).reason is Reason.MEDIA_UNSUPPORTED
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes; it would be three million


def test_whatever_bytes_are_wrong_it_ends_well() -> None:
    media = np.frombuffer(encoded(melody(0, 1), pictures=True), np.uint8)
    dice = np.random.default_rng(1)
    reasons = set()
    for _ in range(300):
        changed = media.copy()
        changed[dice.integers(media.size, size=10)] = dice.integers(256, size=10)
        try:
            found = heard(changed.tobytes())
        except GatewayError as error:
            reasons.add(error.reason)
        else:
            assert all(np.isfinite(piece.samples).all() and piece.samples.size <= PIECE_SECONDS * RATE for piece in found)
    assert reasons <= {Reason.MEDIA_UNSUPPORTED, Reason.MEDIA_DAMAGED}
